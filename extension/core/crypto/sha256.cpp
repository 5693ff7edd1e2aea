#include "crypto/sha256.hpp"

#include "crypto/openssl.hpp"

namespace rampart {

std::array<std::uint8_t, 32> Sha256(ByteView bytes) {
    std::array<std::uint8_t, 32> digest;
    CheckOpenSsl(
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
        "SHA-256");
    return digest;
}

}  // namespace rampart
