// The section [sms] of the configuration, as its courier needs it.
#pragma once

#include "config/settings.hpp"
#include "sms/courier.hpp"

namespace rampart::server::sms {

// Throws ConfigurationError, which quotes neither the secret nor the URL. Connects to nothing.
// REQUIRES: settings.sms.offered(); where it is not, there are no codes by SMS.
SmsOptions OptionsOf(const Settings& settings);

}  // namespace rampart::server::sms
