#include "config/check.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "config/requirement.hpp"
#include "crypto/openssl.hpp"
#include "db/connection.hpp"
#include "db/errors.hpp"
#include "db/migrate.hpp"
#include "http/network.hpp"
#include "http/ocsp_staple.hpp"
#include "mail/configuration.hpp"
#include "sms/configuration.hpp"

namespace rampart::server {
namespace {

using Findings = std::vector<Finding>;
using Bio = std::unique_ptr<BIO, OpenSslDeleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, OpenSslDeleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, OpenSslDeleter<X509_STORE_free>>;

void CheckOcsp(const HttpSettings& http, X509* certificate, Findings* findings) {
    if (http.ocsp_response.empty()) return;
    try {
        if (!http::ReadOcspStaple(http.ocsp_response, certificate).IsGood())
            findings->push_back({false, "http.ocsp_response: has become old, and is not sent"});
    } catch (const std::runtime_error& error) {
        findings->push_back({true, "http.ocsp_response: " + std::string(error.what())});
    }
}

void CheckCertificate(const HttpSettings& http, Findings* findings) {
    if (http.plain) {
        findings->push_back(
            {false,
             "http.plain: requests are not encrypted. Only behind a proxy on the same machine."});
        return;
    }
    if (http.certificate.empty() || http.private_key.empty()) {
        findings->push_back(
            {true, "http.certificate and http.private_key are needed, or http.plain"});
        return;
    }
    const Bio certificate_file(BIO_new_file(http.certificate.c_str(), "r"));
    const Certificate certificate(
        certificate_file ? PEM_read_bio_X509(certificate_file.get(), nullptr, nullptr, nullptr)
                         : nullptr);
    if (certificate == nullptr) {
        findings->push_back({true, "http.certificate: " + http.certificate +
                                       " is not a certificate that can be read"});
        return;
    }
    const Bio key_file(BIO_new_file(http.private_key.c_str(), "r"));
    const KeyPair key(key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr)
                               : nullptr);
    if (key == nullptr || X509_check_private_key(certificate.get(), key.get()) != 1) {
        findings->push_back(
            {true, "http.private_key: " + http.private_key + " is not the key of the certificate"});
    }
    if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0)
        findings->push_back({true, "http.certificate: has expired"});
    CheckOcsp(http, certificate.get(), findings);
    if (IsReadableByAll(http.private_key)) {
        findings->push_back({true, "http.private_key: everybody can read " + http.private_key});
    }
}

void CheckAttestation(const MfaSettings& mfa, Findings* findings) {
    if (mfa.attestation_roots.empty()) return;
    if (mfa.attestation != "verified")
        findings->push_back({true, "mfa.attestation_roots: mfa.attestation is not verified"});
    const Store store(X509_STORE_new());
    if (X509_STORE_load_file(store.get(), mfa.attestation_roots.c_str()) != 1) {
        findings->push_back({true, "mfa.attestation_roots: " + mfa.attestation_roots +
                                       " has no certificates that can be read"});
    }
}

void CheckNetworks(const char* name, const std::vector<std::string>& networks, Findings* findings) {
    for (const std::string& text : networks) {
        if (!http::Network::Parse(text))
            findings->push_back({true, std::string(name) + ": \"" + text + "\" is no network"});
    }
}

void CheckTogether(const Settings& settings, Findings* findings) {
    if (settings.tokens.session_days < settings.tokens.refresh_days) {
        findings->push_back(
            {false, "tokens.refresh_days: sessions end before, by tokens.session_days"});
    }
    if (settings.http.public_url.empty())
        findings->push_back(
            {false, "http.public_url: not set, so tokens and links name " + settings.PublicUrl()});
    for (const std::string& origin : settings.http.allowed_origins) {
        if (origin == "*" || !origin.starts_with("https://") || origin.ends_with("/")) {
            findings->push_back(
                {origin == "*", "http.allowed_origins: \"" + origin +
                                    "\" is not an origin such as https://app.example.com"});
        }
    }
}

void CheckMail(const MailSettings& mail, Findings* findings) {
    if (mail.host.empty()) {
        findings->push_back({false, "mail.host: not set, so mails stay in the outbox"});
        return;
    }
    try {
        mail::OptionsOf(mail);
    } catch (const ConfigurationError& error) {
        findings->push_back({true, error.what()});
    }
}

void CheckSms(const Settings& settings, Findings* findings) {
    if (!settings.sms.offered()) {
        if (!settings.sms.secret.empty() || !settings.sms.secret_file.empty())
            findings->push_back({false, "sms.hook_url: not set, so there are no codes by SMS"});
        return;
    }
    try {
        sms::OptionsOf(settings);
    } catch (const ConfigurationError& error) {
        findings->push_back({true, error.what()});
    }
}

void CheckStored(const Configuration& configuration, Findings* findings) {
    db::Connection database(configuration.settings.database.connection);
    const auto stored = database.Run({{"SELECT rampart_auth.read_settings()", {}}}).at(0);
    const MergedSettings merged =
        Merge(configuration, nlohmann::json::parse(stored.value_or("")).at("values"));
    for (const std::string& problem : merged.problems)
        findings->push_back({false, "in the database: " + problem});
}

void CheckDatabase(const Configuration& configuration, Findings* findings) {
    const std::string& connection = configuration.settings.database.connection;
    if (connection.empty()) {
        findings->push_back({true, "database.connection is needed"});
        return;
    }
    try {
        const std::vector<std::string> missing = db::Missing(connection);
        for (const std::string& file : missing) {
            findings->push_back({true, "the database lacks " + file + ": run rampartd migrate"});
        }
        if (missing.empty()) CheckStored(configuration, findings);
    } catch (const std::exception&) {
        // libpq's message may quote the connection string.
        findings->push_back({true, "database.connection: the database cannot be reached with it"});
    }
}

}  // namespace

Findings CheckRunTime(const Settings& settings) {
    Findings findings;
    if (settings.signup.mode == "domain" && settings.signup.domains.empty())
        findings.push_back({true, "signup.domains: needed in mode domain"});
    CheckMail(settings.mail, &findings);
    return findings;
}

Findings Check(const Configuration& configuration) {
    const Settings& settings = configuration.settings;
    Findings findings;
    CheckCertificate(settings.http, &findings);
    CheckNetworks("http.trusted_proxies", settings.http.trusted_proxies, &findings);
    CheckNetworks("http.allow", settings.http.allow, &findings);
    CheckNetworks("http.deny", settings.http.deny, &findings);
    CheckTogether(settings, &findings);
    CheckAttestation(settings.mfa, &findings);
    for (Finding& finding : CheckRunTime(settings)) findings.push_back(std::move(finding));
    CheckSms(settings, &findings);
    CheckDatabase(configuration, &findings);
    return findings;
}

}  // namespace rampart::server
