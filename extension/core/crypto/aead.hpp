// AES-256-GCM (SP 800-38D): 96-bit IV, 128-bit tag.
//
// Guarantees privacy and authenticity of the plaintext and authenticity of the associated data, as
// long as no IV is used twice under one key. The key schedule is kept between messages: an object
// is one key, and belongs to one thread.
#pragma once

#include <memory>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart {

class Aead {
  public:
    static constexpr std::size_t kIvSize = 12;
    static constexpr std::size_t kTagSize = 16;

    explicit Aead(const SecretKey& key);
    ~Aead();
    Aead(Aead&&) noexcept;
    Aead& operator=(Aead&&) noexcept;

    // Encrypts into `out` (plaintext.size() bytes) and writes the tag. The associated data is the
    // concatenation of the two parts, of which either may be empty.
    void Seal(const std::uint8_t* iv, ByteView aad, ByteView more_aad, ByteView plaintext,
              std::uint8_t* out, std::uint8_t* tag);

    // Decrypts into `out` (ciphertext.size() bytes). False if the tag does not match; `out` is
    // then wiped.
    [[nodiscard]] bool Open(const std::uint8_t* iv, ByteView aad, ByteView more_aad,
                            ByteView ciphertext, const std::uint8_t* tag, std::uint8_t* out);

  private:
    struct Contexts;
    std::unique_ptr<Contexts> contexts_;
};

}  // namespace rampart
