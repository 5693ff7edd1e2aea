// The section [mail] of the configuration, as the sender needs it.
#pragma once

#include "config/settings.hpp"
#include "mail/sender.hpp"

namespace rampart::server::mail {

// Throws ConfigurationError, also for templates that are not good. Connects to nothing.
// REQUIRES: settings.host is not empty; where it is, no mail is sent, and mails stay in the outbox.
SenderOptions OptionsOf(const MailSettings& settings);

}  // namespace rampart::server::mail
