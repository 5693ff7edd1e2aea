#include "keyring/index_key.hpp"

#include <algorithm>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/hkdf.hpp"

namespace rampart {
namespace {

std::vector<std::uint8_t> LengthPrefixed(std::string_view scope) {
    std::vector<std::uint8_t> bytes(sizeof(std::uint32_t) + scope.size());
    StoreBigEndian(static_cast<std::uint32_t>(scope.size()), bytes.data());
    std::copy(scope.begin(), scope.end(), bytes.begin() + sizeof(std::uint32_t));
    return bytes;
}

SecretKey Subkey(const SecretKey& key, std::string_view info) {
    return DeriveKey(key, {}, AsBytes(info));
}

}  // namespace

IndexKey::IndexKey(std::string_view scope, const SecretKey& key)
    : iv_(Subkey(key, "rampart deterministic iv v1"), LengthPrefixed(scope)),
      blind_(Subkey(key, "rampart blind index v1"), LengthPrefixed(scope)) {}

void IndexKey::DeterministicIv(Kind kind, ByteView aad, ByteView plaintext,
                               std::uint8_t* iv) const {
    std::array<std::uint8_t, 1 + sizeof(std::uint64_t)> head;
    head[0] = static_cast<std::uint8_t>(kind);
    StoreBigEndian(std::uint64_t{aad.size()}, head.data() + 1);

    HmacSha256::Message message = iv_.Start();
    message.Update(head);
    message.Update(aad);
    message.Update(plaintext);
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    message.Final(mac.data());
    std::copy_n(mac.begin(), Aead::kIvSize, iv);
}

std::array<std::uint8_t, 32> IndexKey::BlindIndex(ByteView context, ByteView text) const {
    std::array<std::uint8_t, sizeof(std::uint64_t)> context_size;
    StoreBigEndian(std::uint64_t{context.size()}, context_size.data());

    HmacSha256::Message message = blind_.Start();
    message.Update(context_size);
    message.Update(context);
    message.Update(text);
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    message.Final(mac.data());
    return mac;
}

}  // namespace rampart
