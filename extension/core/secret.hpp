// Secret bytes: held on OpenSSL's locked heap where there is room, wiped when released, compared in
// constant time, copied only by name.
//
// Reading the bytes takes `Reveal()`, so that every exposure can be found with grep.
#pragma once

#include <array>
#include <cstddef>

#include "bytes.hpp"

namespace rampart {

// Reserves the locked heap (mlock, excluded from core dumps). Call once a process, before the first
// secret; children made by fork inherit it and lock it anew. Returns false where memory could not
// be locked: secrets then live in ordinary memory and are still wiped.
bool InitSecureHeap();

// Compares without a branch or an index that depends on the contents; the lengths may differ.
bool ConstantTimeEqual(ByteView a, ByteView b);

// Overwrites memory in a way the compiler keeps.
void Wipe(ByteSpan bytes);

// A buffer on the stack that is wiped when it goes out of scope.
template <std::size_t kSize>
struct Scratch : std::array<std::uint8_t, kSize> {
    ~Scratch() { Wipe(*this); }
};

// A 256-bit key. Movable, not copyable; empty after a move.
class SecretKey {
  public:
    static constexpr std::size_t kSize = 32;

    SecretKey();                         // all zero, to be filled through MutableReveal()
    explicit SecretKey(ByteView bytes);  // Error 22023 unless 32 bytes
    ~SecretKey();
    SecretKey(SecretKey&& other) noexcept;
    SecretKey& operator=(SecretKey&& other) noexcept;
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;

    ByteView Reveal() const { return {bytes_, bytes_ == nullptr ? 0 : kSize}; }
    ByteSpan MutableReveal() { return {bytes_, bytes_ == nullptr ? 0 : kSize}; }
    SecretKey Clone() const { return SecretKey(Reveal()); }
    static SecretKey Random();

  private:
    std::uint8_t* bytes_;
};

}  // namespace rampart
