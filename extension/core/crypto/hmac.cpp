// OpenSSL 3 deprecates its plain SHA-256 calls in favour of EVP, whose contexts can only be copied
// through the allocator: several hundred nanoseconds a message, more than the HMAC of a short
// value. A SHA256_CTX is a plain struct, so a saved state is one assignment away. Used here and in
// sha256.cpp only.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hmac.hpp"

#include <algorithm>
#include <type_traits>

namespace rampart {
namespace {

static_assert(std::is_trivially_copyable_v<SHA256_CTX>);

constexpr std::size_t kBlockSize = SHA256_CBLOCK;

// The plain calls cannot fail: they return 1 always.
SHA256_CTX KeyedState(ByteView key, std::uint8_t pad) {
    Scratch<SHA256_DIGEST_LENGTH> digest;
    if (key.size() > kBlockSize) {
        SHA256_CTX hash;
        SHA256_Init(&hash);
        SHA256_Update(&hash, key.data(), key.size());
        SHA256_Final(digest.data(), &hash);
        Wipe({reinterpret_cast<std::uint8_t*>(&hash), sizeof hash});
        key = digest;
    }
    Scratch<kBlockSize> block;
    block.fill(pad);
    std::transform(key.begin(), key.end(), block.begin(),
                   [pad](std::uint8_t byte) { return static_cast<std::uint8_t>(byte ^ pad); });
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, block.data(), block.size());
    return state;
}

void WipeState(SHA256_CTX& state) { Wipe({reinterpret_cast<std::uint8_t*>(&state), sizeof state}); }

}  // namespace

HmacSha256::HmacSha256(const SecretKey& key, ByteView prefix) : HmacSha256(key.Reveal(), prefix) {}

HmacSha256::HmacSha256(ByteView key, ByteView prefix)
    : inner_(KeyedState(key, 0x36)), outer_(KeyedState(key, 0x5c)) {
    SHA256_Update(&inner_, prefix.data(), prefix.size());
}

HmacSha256::~HmacSha256() {
    WipeState(inner_);
    WipeState(outer_);
}

HmacSha256::Message::Message(const HmacSha256& owner) : owner_(owner), state_(owner.inner_) {}

HmacSha256::Message::~Message() { WipeState(state_); }

void HmacSha256::Message::Update(ByteView part) {
    SHA256_Update(&state_, part.data(), part.size());
}

void HmacSha256::Message::Final(std::uint8_t* mac) {
    SHA256_Final(mac, &state_);  // the inner digest, until the outer one replaces it
    state_ = owner_.outer_;
    SHA256_Update(&state_, mac, kSize);
    SHA256_Final(mac, &state_);
}

}  // namespace rampart
