#include "mail/configuration.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "config/requirement.hpp"

namespace rampart::server::mail {
namespace {

// A name, or an address of either kind; libcurl reads it as part of a URL.
bool IsHost(const std::string& host) {
    return host.size() <= 253 && std::ranges::all_of(host, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':';
           });
}

Security SecurityOf(const std::string& name) {
    return name == "none" ? Security::kNone : name == "tls" ? Security::kTls : Security::kStartTls;
}

}  // namespace

Templates TemplatesOf(const std::string& directory) {
    try {
        return Templates(directory);
    } catch (const TemplateError& error) {
        throw ConfigurationError("mail.templates: " + std::string(error.what()));
    }
}

MailOptions OptionsOf(const MailSettings& settings) {
    const Security security = SecurityOf(settings.security);
    Require(IsHost(settings.host), "mail.host", "is no host name or address");
    Require(settings.username.empty() == settings.password.empty(), "mail.password",
            "goes with mail.username");
    Require(settings.username.empty() || security != Security::kNone ||
                outbox::IsThisMachine(settings.host),
            "mail.security",
            "has to be starttls or tls where a password is sent to another machine");
    Require(settings.ca_file.empty() || IsReadable(settings.ca_file), "mail.ca_file",
            "cannot be read");
    const std::optional<Mailbox> from = ParseMailbox(settings.from);
    Require(from.has_value(), "mail.from",
            "is an address, or a name and an address: Name <address>");
    return {
        .smtp = {.host = settings.host,
                 .port = static_cast<std::uint16_t>(settings.port),
                 .security = security,
                 .username = settings.username,
                 .password = settings.password,
                 .connection = {settings.ca_file, std::chrono::seconds(settings.connect_seconds),
                                std::chrono::seconds(settings.total_seconds)}},
        .from = *from,
        .product = settings.product,
        .templates = TemplatesOf(settings.templates)};
}

}  // namespace rampart::server::mail
