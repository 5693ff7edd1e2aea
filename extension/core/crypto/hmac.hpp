// HMAC-SHA256 (RFC 2104) that starts each message from saved inner and outer states, so that a
// message costs two compressions fewer and no allocation.
//
// `prefix` is absorbed once and is part of every message. An object is one key; Start() may be
// called from one thread at a time.
#pragma once

#include <openssl/sha.h>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart {

class HmacSha256 {
  public:
    static constexpr std::size_t kSize = 32;

    explicit HmacSha256(const SecretKey& key, ByteView prefix = {});
    // A key of any length; the caller wipes it.
    explicit HmacSha256(ByteView key, ByteView prefix = {});
    ~HmacSha256();
    HmacSha256(const HmacSha256&) = delete;
    HmacSha256& operator=(const HmacSha256&) = delete;

    // A message in parts: Update any number of times, then Final once.
    class Message {
      public:
        ~Message();
        void Update(ByteView part);
        void Final(std::uint8_t* mac);  // 32 bytes

      private:
        friend class HmacSha256;
        explicit Message(const HmacSha256& owner);
        const HmacSha256& owner_;
        SHA256_CTX state_;
    };
    Message Start() const { return Message(*this); }

  private:
    SHA256_CTX inner_;
    SHA256_CTX outer_;
};

}  // namespace rampart
