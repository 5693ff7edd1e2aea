// What rampartd can be told. A value comes from the configuration file, then from the environment
// (RAMPART_HTTP_PORT for http.port), which wins; of those that can change at run time, what
// administrators keep in the database wins over both (live_settings.hpp). Every setting is a row of
// Table(): its name, where it goes, its bounds, what it is for, and whether it is secret and can
// change at run time. docs/reference/server-settings.md is made of it.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace rampart::server {

struct HttpSettings {
    std::string address = "127.0.0.1";
    int port = 8443;
    std::string public_url;  // empty: https://localhost:PORT
    std::string certificate;
    std::string private_key;
    std::string client_ca;
    std::string ocsp_response;
    bool plain = false;
    int redirect_port = 0;
    std::string management_address = "127.0.0.1";
    int management_port = 8081;
    int threads = 32;
    int max_connections = 4096;
    int max_body = 64 * 1024;
    int request_seconds = 10;
    int drain_seconds = 20;
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> allowed_origins;
    std::vector<std::string> allow;
    std::vector<std::string> deny;
};

struct DatabaseSettings {
    std::string connection;  // libpq's
    int connections = 10;
    int wait_ms = 2000;
};

struct TokenSettings {
    std::string issuer;  // empty: http.public_url
    std::string audience = "rampart";
    std::string algorithm = "ES256";
    int access_seconds = 15 * 60;
    int refresh_days = 7;
    int session_days = 30;
    int grace_seconds = 10;
};

struct SignupSettings {
    std::string mode = "open";
    std::vector<std::string> domains;
    std::string link_url;  // empty: http.public_url
    int verification_minutes = 24 * 60;
    int invitation_hours = 72;
};

struct PasswordSettings {
    std::string hash = "argon2id";
    int argon2_memory_kib = 19 * 1024;
    int argon2_iterations = 2;
    int bcrypt_cost = 12;
    std::string policy = "composition";
    int min_length = 12;
    int min_entropy_bits = 30;
    int history = 5;
    int reset_minutes = 30;
    int hash_threads = 0;  // 0: one a core
    int hash_queue = 0;    // 0: eight a thread
};

struct LockoutSettings {
    int failures = 5;
    int minutes = 15;
    int failures_per_address = 50;
};

struct AttackSettings {
    bool watch = true;
    int period_seconds = 600;
    int least_failures = 50;
    int factor = 5;
    int half_life_hours = 24;
    int failures_per_address = 8;
    int failures_per_network = 32;
};

// Requests in a window of seconds.
struct Rate {
    int requests;
    int seconds;
};

struct RateSettings {
    Rate sign_in{5, 15 * 60};
    Rate password_reset{5, 60 * 60};
    Rate refresh{60, 60};
    Rate anonymous{120, 60};
    Rate authenticated{600, 60};
    Rate admin{1200, 60};
    Rate tenant{6000, 60};
};

struct MfaSettings {
    std::string issuer = "Rampart";
    int recovery_waiting_hours = 0;
    std::string rp_id;  // empty: the host of http.public_url
    std::string user_verification = "preferred";
    std::string attestation = "none";
    std::string attestation_roots;
    bool passwordless = true;
};

struct MailSettings {
    std::string host;  // empty: no mail is sent
    int port = 587;
    std::string security = "starttls";
    std::string username;
    std::string password;
    std::string from;
    std::string ca_file;
    int connect_seconds = 10;
    int total_seconds = 60;
    std::string templates;
    std::string product = "Rampart";
    bool new_login = true;
};

struct SmsSettings {
    std::string hook_url;  // empty: no codes by SMS
    std::string secret;
    std::string secret_file;
    std::string ca_file;
    int connect_seconds = 5;
    int total_seconds = 15;
    std::vector<std::string> prefixes;  // what numbers begin with; empty: any

    bool offered() const { return !hook_url.empty(); }
    bool Reaches(const std::string& phone) const;
};

struct LogSettings {
    std::string level = "info";
};

struct Settings {
    HttpSettings http;
    DatabaseSettings database;
    TokenSettings tokens;
    SignupSettings signup;
    PasswordSettings password;
    LockoutSettings lockout;
    AttackSettings attacks;
    MfaSettings mfa;
    RateSettings rates;
    MailSettings mail;
    SmsSettings sms;
    LogSettings log;

    std::string PublicUrl() const;
    std::string Issuer() const { return tokens.issuer.empty() ? PublicUrl() : tokens.issuer; }
    std::string LinkUrl() const { return signup.link_url.empty() ? PublicUrl() : signup.link_url; }
};

struct IntegerSetting {
    int* value;
    int least;
    int most;
};
struct ChoiceSetting {
    std::string* value;
    std::vector<std::string> choices;
};
// Traits of a setting. One that changes at run time is read from a request's own snapshot
// (Exchange::settings) and never kept; what names files of the machine or is used while the server
// starts has no such trait, nor has what would lead links or passkeys to another site.
inline constexpr unsigned kSecret = 1;
inline constexpr unsigned kRunTime = 2;
struct Setting {
    std::string name;
    std::variant<std::string*, IntegerSetting, bool*, std::vector<std::string>*, Rate*,
                 ChoiceSetting>
        target;
    const char* description;
    unsigned traits = 0;
};
std::vector<Setting> Table(Settings& settings);
// Null: there is none of this name.
const Setting* FindSetting(const std::vector<Setting>& table, std::string_view name);

// Every setting with its default and what it is for, as a configuration file.
std::string DefaultFile();

// Where values come from; what is not in it has its default.
enum class Source : std::uint8_t { kDefault, kFile, kEnvironment, kDatabase };
using Sources = std::map<std::string, Source, std::less<>>;

// Of a file (TOML), which may be none (empty path), and the environment. Throws ConfigurationError,
// which names the setting and what is wrong with it, and never quotes a secret.
Settings Load(const std::string& path, Sources* sources = nullptr);

struct ConfigurationError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace rampart::server
