#include "sms/configuration.hpp"

#include <fstream>
#include <memory>
#include <optional>

#include "config/requirement.hpp"
#include "mail/configuration.hpp"
#include "sms/signature.hpp"

namespace rampart::server::sms {
namespace {

class Url {
  public:
    explicit Url(const std::string& text) : url_(curl_url()) {
        good_ = url_ && curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
    }
    bool good() const { return good_; }
    // Empty where there is none.
    std::string Part(CURLUPart part) const {
        char* text = nullptr;
        if (!good_ || curl_url_get(url_.get(), part, &text, 0) != CURLUE_OK) return {};
        const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
        return text;
    }

  private:
    std::unique_ptr<CURLU, decltype([](CURLU* u) { curl_url_cleanup(u); })> url_;
    bool good_ = false;
};

void CheckUrl(const std::string& text) {
    const Url url(text);
    const std::string scheme = url.Part(CURLUPART_SCHEME);
    Require(url.good() && (scheme == "https" || scheme == "http") &&
                url.Part(CURLUPART_FRAGMENT).empty(),
            "sms.hook_url", "is no URL such as https://sms.example.com/send");
    Require(url.Part(CURLUPART_USER).empty() && url.Part(CURLUPART_PASSWORD).empty(),
            "sms.hook_url", "has a user: requests are signed instead");
    std::string host = url.Part(CURLUPART_HOST);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    Require(scheme == "https" || outbox::IsThisMachine(host), "sms.hook_url",
            "has to be https where it is another machine's");
}

std::string SecretOf(const SmsSettings& settings) {
    Require(settings.secret.empty() || settings.secret_file.empty(), "sms.secret",
            "is given in sms.secret_file as well");
    if (settings.secret_file.empty()) return settings.secret;
    std::ifstream file(settings.secret_file);
    std::string secret;
    Require(static_cast<bool>(file >> secret), "sms.secret_file", "cannot be read, or is empty");
    Require(!IsReadableByAll(settings.secret_file), "sms.secret_file", "can be read by everybody");
    return secret;
}

}  // namespace

SmsOptions OptionsOf(const Settings& settings) {
    const SmsSettings& sms = settings.sms;
    CheckUrl(sms.hook_url);
    const std::string secret = SecretOf(sms);
    Require(!secret.empty(), "sms.secret", "is needed, or sms.secret_file");
    const std::optional<std::vector<std::uint8_t>> key = KeyOf(secret);
    Require(key.has_value(), sms.secret_file.empty() ? "sms.secret" : "sms.secret_file",
            "is not base64 of 24 to 64 bytes, with or without whsec_ before it");
    Require(sms.ca_file.empty() || IsReadable(sms.ca_file), "sms.ca_file", "cannot be read");
    return {.hook = {.url = sms.hook_url,
                     .key = *key,
                     .connection = {sms.ca_file, std::chrono::seconds(sms.connect_seconds),
                                    std::chrono::seconds(sms.total_seconds)}},
            .product = settings.mail.product,
            .templates = mail::TemplatesOf(settings.mail.templates)};
}

}  // namespace rampart::server::sms
