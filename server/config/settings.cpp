#include "config/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <toml++/toml.h>

#include "config/setting_value.hpp"

namespace rampart::server {
namespace {

std::string TextOf(const Setting& setting, const toml::node& node) {
    if (const auto text = node.value<std::string>(); node.is_string()) return *text;
    if (const auto number = node.value<std::int64_t>(); node.is_integer()) {
        return std::to_string(*number);
    }
    if (const auto flag = node.value<bool>(); node.is_boolean()) return *flag ? "true" : "false";
    if (const toml::array* list = node.as_array();
        list != nullptr && std::holds_alternative<std::vector<std::string>*>(setting.target)) {
        std::string text;
        for (const toml::node& item : *list) {
            if (!item.is_string())
                throw ConfigurationError(setting.name + ": is a list of strings");
            text += *item.value<std::string>() + ",";
        }
        return text;
    }
    throw ConfigurationError(setting.name + ": has a value of another type");
}

void ReadFile(const std::string& path, const std::vector<Setting>& table, Sources& sources) {
    toml::table file;
    try {
        file = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        std::ostringstream place;
        place << error.source().begin;
        throw ConfigurationError(path + ": " + std::string(error.description()) + " (" +
                                 place.str() + ")");
    }
    for (const auto& [section, content] : file) {
        const toml::table* group = content.as_table();
        if (group == nullptr) {
            throw ConfigurationError(std::string(section.str()) + ": stands outside of a section");
        }
        for (const auto& [key, node] : *group) {
            const std::string name = std::string(section.str()) + "." + std::string(key.str());
            const Setting* row = FindSetting(table, name);
            if (row == nullptr) throw ConfigurationError(name + ": there is no such setting");
            Assign(*row, TextOf(*row, node));
            sources[name] = Source::kFile;
        }
    }
}

void ReadEnvironment(const std::vector<Setting>& table, Sources& sources) {
    for (const Setting& setting : table) {
        std::string variable = "RAMPART_" + setting.name;
        std::transform(variable.begin(), variable.end(), variable.begin(), [](unsigned char c) {
            return c == '.' ? '_' : static_cast<char>(std::toupper(c));
        });
        if (const char* text = std::getenv(variable.c_str())) {
            Assign(setting, text);
            sources[setting.name] = Source::kEnvironment;
        }
    }
}

}  // namespace

const Setting* FindSetting(const std::vector<Setting>& table, std::string_view name) {
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
    return row == table.end() ? nullptr : &*row;
}

std::string DefaultFile() {
    Settings settings;
    std::string text;
    std::string section;
    for (const Setting& setting : Table(settings)) {
        const std::size_t dot = setting.name.find('.');
        if (const std::string name = setting.name.substr(0, dot); name != section) {
            text += (section.empty() ? "[" : "\n[") + name + "]\n";
            section = name;
        }
        text += "# " + std::string(setting.description);
        if (const auto* choice = std::get_if<ChoiceSetting>(&setting.target)) {
            text += ": ";
            for (const std::string& value : choice->choices) {
                text += (&value == &choice->choices.front() ? "" : ", ") + value;
            }
        } else if (const auto* integer = std::get_if<IntegerSetting>(&setting.target)) {
            text += " (" + std::to_string(integer->least) + " to " + std::to_string(integer->most) +
                    ")";
        }
        if ((setting.traits & kRunTime) != 0) text += " *";
        text += "\n" + setting.name.substr(dot + 1) + " = " + JsonOf(setting).dump() + "\n";
    }
    return text;
}

bool SmsSettings::Reaches(const std::string& phone) const {
    return prefixes.empty() ||
           std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return phone.starts_with(prefix); });
}

std::string Settings::PublicUrl() const {
    if (!http.public_url.empty()) return http.public_url;
    return (http.plain ? "http://localhost:" : "https://localhost:") + std::to_string(http.port);
}

std::vector<Setting> Table(Settings& s) {
    const auto integer = [](int& value, int least, int most) {
        return IntegerSetting{&value, least, most};
    };
    return {
        {"http.address", &s.http.address, "address to listen on"},
        {"http.port", integer(s.http.port, 0, 65535), "port to listen on; 0: any free one"},
        {"http.public_url", &s.http.public_url,
         "how clients reach the server; issuer of tokens and base of links unless those are given"},
        {"http.certificate", &s.http.certificate,
         "file with the certificate chain, PEM; read again on SIGHUP"},
        {"http.private_key", &s.http.private_key, "file with its private key, PEM"},
        {"http.client_ca", &s.http.client_ca,
         "file with the authorities of client certificates, which are then required (mutual TLS)"},
        {"http.ocsp_response", &s.http.ocsp_response,
         "file with the authority's answer that the certificate is not revoked, DER (OCSP "
         "stapling); read again on SIGHUP"},
        {"http.plain", &s.http.plain, "HTTP without TLS: only behind a proxy on the same machine"},
        {"http.redirect_port", integer(s.http.redirect_port, 0, 65535),
         "port that sends HTTP to HTTPS; 0: none"},
        {"http.management_address", &s.http.management_address,
         "address of health and metrics, not for the public"},
        {"http.management_port", integer(s.http.management_port, 0, 65535),
         "port of health and metrics"},
        {"http.threads", integer(s.http.threads, 2, 1024), "threads that work on requests"},
        {"http.max_connections", integer(s.http.max_connections, 16, 100'000),
         "connections at once"},
        {"http.max_body", integer(s.http.max_body, 1024, 16 * 1024 * 1024),
         "bytes of a request's body"},
        {"http.request_seconds", integer(s.http.request_seconds, 1, 300),
         "seconds in which a request has to arrive"},
        {"http.drain_seconds", integer(s.http.drain_seconds, 1, 600),
         "seconds that requests get to end in when the server stops"},
        {"http.trusted_proxies", &s.http.trusted_proxies,
         "networks whose X-Forwarded-For is believed"},
        {"http.allowed_origins", &s.http.allowed_origins, "origins of pages that may call (CORS)"},
        {"http.allow", &s.http.allow, "networks that may connect; empty: all"},
        {"http.deny", &s.http.deny, "networks that may not"},
        {"database.connection", &s.database.connection,
         "connection string of libpq, for the role rampartd", kSecret},
        {"database.connections", integer(s.database.connections, 1, 500), "connections at most"},
        {"database.wait_ms", integer(s.database.wait_ms, 10, 60'000),
         "milliseconds to wait for a free connection"},
        {"tokens.issuer", &s.tokens.issuer, "claim iss"},
        {"tokens.audience", &s.tokens.audience, "claim aud"},
        {"tokens.algorithm", ChoiceSetting{&s.tokens.algorithm, {"ES256", "EdDSA", "RS256"}},
         "algorithm of signing keys made from now on"},
        {"tokens.access_seconds", integer(s.tokens.access_seconds, 30, 3600),
         "life of an access token"},
        {"tokens.refresh_days", integer(s.tokens.refresh_days, 1, 365),
         "life of a refresh token that is not used", kRunTime},
        {"tokens.session_days", integer(s.tokens.session_days, 1, 365),
         "life of a session, however often it is renewed", kRunTime},
        {"tokens.grace_seconds", integer(s.tokens.grace_seconds, 0, 60),
         "for how long a used refresh token is answered with its successor again", kRunTime},
        {"signup.mode", ChoiceSetting{&s.signup.mode, {"open", "domain", "invitation", "approval"}},
         "who can sign up", kRunTime},
        {"signup.domains", &s.signup.domains, "domains of addresses, in mode domain", kRunTime},
        {"signup.link_url", &s.signup.link_url,
         "where links in mails lead to: a page of the application"},
        {"signup.verification_minutes", integer(s.signup.verification_minutes, 5, 10'080),
         "life of the link in a verification mail", kRunTime},
        {"signup.invitation_hours", integer(s.signup.invitation_hours, 1, 720),
         "life of an invitation", kRunTime},
        {"password.hash", ChoiceSetting{&s.password.hash, {"argon2id", "bcrypt"}},
         "how passwords are hashed from now on"},
        {"password.argon2_memory_kib", integer(s.password.argon2_memory_kib, 7168, 1024 * 1024),
         "memory of argon2id"},
        {"password.argon2_iterations", integer(s.password.argon2_iterations, 1, 20),
         "passes of argon2id"},
        {"password.bcrypt_cost", integer(s.password.bcrypt_cost, 10, 16), "cost of bcrypt"},
        {"password.policy", ChoiceSetting{&s.password.policy, {"composition", "asvs"}},
         "composition: upper, lower, digit and special; asvs: length and strength only (OWASP ASVS "
         "6.2.5)",
         kRunTime},
        {"password.min_length", integer(s.password.min_length, 8, 64), "characters of a password",
         kRunTime},
        {"password.min_entropy_bits", integer(s.password.min_entropy_bits, 0, 80),
         "strength by zxcvbn, which knows the common ones", kRunTime},
        {"password.history", integer(s.password.history, 0, 24),
         "former passwords that may not be used again", kRunTime},
        {"password.reset_minutes", integer(s.password.reset_minutes, 5, 1440),
         "life of the link in a reset mail", kRunTime},
        {"password.hash_threads", integer(s.password.hash_threads, 0, 256),
         "passwords hashed at once; 0: one a core; never more than half of http.threads"},
        {"password.hash_queue", integer(s.password.hash_queue, 0, 10'000),
         "passwords that wait for it; beyond that, or half of http.threads in all, 503; 0: eight a "
         "thread"},
        {"lockout.failures", integer(s.lockout.failures, 1, 100),
         "failed logins that lock an account", kRunTime},
        {"lockout.minutes", integer(s.lockout.minutes, 1, 1440),
         "for how long; doubles each time, up to a day", kRunTime},
        {"lockout.failures_per_address", integer(s.lockout.failures_per_address, 1, 100'000),
         "failed logins that lock a client address, for a minute first", kRunTime},
        {"attacks.watch", &s.attacks.watch,
         "whether limits tighten while far more logins fail than usual", kRunTime},
        {"attacks.period_seconds", integer(s.attacks.period_seconds, 2, 3600),
         "seconds in which failed logins are counted for that", kRunTime},
        {"attacks.least_failures", integer(s.attacks.least_failures, 1, 1'000'000),
         "failures in a period that are an attack where fewer are usual", kRunTime},
        {"attacks.factor", integer(s.attacks.factor, 2, 1000),
         "how many times as many as usual are an attack", kRunTime},
        {"attacks.half_life_hours", integer(s.attacks.half_life_hours, 1, 720),
         "after how long what was counts half in what is usual", kRunTime},
        {"attacks.failures_per_address", integer(s.attacks.failures_per_address, 1, 10'000),
         "failures of an address in a period during an attack, halved by each of its levels",
         kRunTime},
        {"attacks.failures_per_network", integer(s.attacks.failures_per_network, 1, 10'000),
         "the same of a network: a /24 of IPv4, a /64 of IPv6", kRunTime},
        {"mfa.issuer", &s.mfa.issuer, "what authenticator apps call this product", kRunTime},
        {"mfa.rp_id", &s.mfa.rp_id,
         "domain that passkeys are for; empty: the host of http.public_url"},
        {"mfa.user_verification",
         ChoiceSetting{&s.mfa.user_verification, {"preferred", "required", "discouraged"}},
         "whether authenticators ask for a PIN or a finger", kRunTime},
        {"mfa.attestation", ChoiceSetting{&s.mfa.attestation, {"none", "verified"}},
         "whether the makers of authenticators have to vouch for them", kRunTime},
        {"mfa.attestation_roots", &s.mfa.attestation_roots,
         "file with the certificates of makers that may, PEM; empty: any, and the authenticator "
         "itself"},
        {"mfa.passwordless", &s.mfa.passwordless,
         "whether a passkey that verifies its user logs in alone, without a password", kRunTime},
        {"mfa.recovery_waiting_hours", IntegerSetting{&s.mfa.recovery_waiting_hours, 0, 168},
         "hours before the link of a recovery can be used, in which its owner is told", kRunTime},
        {"rates.sign_in", &s.rates.sign_in, "logins and sign-ups of a client address", kRunTime},
        {"rates.password_reset", &s.rates.password_reset,
         "password resets and mails asked for by a client address", kRunTime},
        {"rates.refresh", &s.rates.refresh, "renewals by a client address", kRunTime},
        {"rates.anonymous", &s.rates.anonymous,
         "requests of a client address that is not logged in", kRunTime},
        {"rates.authenticated", &s.rates.authenticated, "requests of a session or API key",
         kRunTime},
        {"rates.admin", &s.rates.admin, "requests of an administrator's session", kRunTime},
        {"rates.tenant", &s.rates.tenant, "requests of an organisation", kRunTime},
        {"mail.host", &s.mail.host, "SMTP server; empty: mails stay in the outbox", kRunTime},
        {"mail.port", integer(s.mail.port, 1, 65535), "its port", kRunTime},
        {"mail.security", ChoiceSetting{&s.mail.security, {"starttls", "tls", "none"}},
         "starttls: a server that offers none is not used; tls: from the first byte; none",
         kRunTime},
        {"mail.username", &s.mail.username, "whom to log in to it as; empty: nobody", kRunTime},
        {"mail.password", &s.mail.password, "by which password", kSecret | kRunTime},
        {"mail.from", &s.mail.from, "sender of all mails: Name <address>", kRunTime},
        {"mail.ca_file", &s.mail.ca_file,
         "file with the authorities of its certificate, PEM; empty: those of the system"},
        {"mail.connect_seconds", integer(s.mail.connect_seconds, 1, 120),
         "seconds to wait for a connection", kRunTime},
        {"mail.total_seconds", integer(s.mail.total_seconds, 2, 600),
         "seconds that one mail may take", kRunTime},
        {"mail.templates", &s.mail.templates,
         "directory of templates that replace those of the product, SMS included"},
        {"mail.product", &s.mail.product, "what mails and SMS call the product", kRunTime},
        {"mail.new_login", &s.mail.new_login,
         "whether an account is told of a login from a device or network that is new to it",
         kRunTime},
        {"sms.hook_url", &s.sms.hook_url,
         "where SMS are posted to, https; empty: there are no codes by SMS"},
        {"sms.secret", &s.sms.secret,
         "what posts are signed with (Standard Webhooks): whsec_ and 24 to 64 bytes in base64",
         kSecret},
        {"sms.secret_file", &s.sms.secret_file, "file with it, instead"},
        {"sms.ca_file", &s.sms.ca_file,
         "file with the authorities of the hook's certificate, PEM; empty: those of the system"},
        {"sms.connect_seconds", integer(s.sms.connect_seconds, 1, 60),
         "seconds to wait for a connection"},
        {"sms.total_seconds", integer(s.sms.total_seconds, 2, 120),
         "seconds that one SMS may take"},
        {"sms.prefixes", &s.sms.prefixes,
         "what numbers have to begin with, as +41 or +4930; empty: nothing", kRunTime},
        {"log.level", ChoiceSetting{&s.log.level, {"trace", "debug", "info", "warn", "error"}},
         "what is logged"},
    };
}

Settings Load(const std::string& path, Sources* sources) {
    Settings settings;
    Sources found;
    const std::vector<Setting> table = Table(settings);
    if (!path.empty()) ReadFile(path, table, found);
    ReadEnvironment(table, found);
    if (sources != nullptr) *sources = std::move(found);
    return settings;
}

}  // namespace rampart::server
