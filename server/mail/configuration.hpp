// The section [mail] of the configuration, as its courier needs it.
#pragma once

#include "config/settings.hpp"
#include "mail/courier.hpp"

namespace rampart::server::mail {

// Throws ConfigurationError, also for templates that are not good. Connects to nothing.
// REQUIRES: settings.host is not empty; where it is, no mail is sent, and mails stay in the outbox.
MailOptions OptionsOf(const MailSettings& settings);

// Texts of the product, and those of a directory in their place. Throws ConfigurationError.
Templates TemplatesOf(const std::string& directory);

}  // namespace rampart::server::mail
