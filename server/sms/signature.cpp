#include "sms/signature.hpp"

#include <array>

#include "crypto/base64.hpp"

namespace rampart::server::sms {

std::optional<std::vector<std::uint8_t>> KeyOf(std::string_view secret) {
    constexpr std::string_view kPrefix = "whsec_";
    if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
    std::optional<std::vector<std::uint8_t>> key = FromBase64(secret);
    if (key && (key->size() < 24 || key->size() > 64)) key.reset();
    return key;
}

std::string SignatureOf(const HmacSha256& key, std::string_view id, std::string_view timestamp,
                        std::string_view body) {
    HmacSha256::Message message = key.Start();
    message.Update(AsBytes(id));
    message.Update(AsBytes("."));
    message.Update(AsBytes(timestamp));
    message.Update(AsBytes("."));
    message.Update(AsBytes(body));
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    message.Final(mac.data());
    return "v1," + Base64(mac);
}

}  // namespace rampart::server::sms
