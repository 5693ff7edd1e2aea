#include "secret.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sys/mman.h>

#include "crypto/openssl.hpp"
#include "error.hpp"

namespace rampart {
namespace {

// Room for two thousand keys; well below the usual limit on locked memory (RLIMIT_MEMLOCK).
constexpr std::size_t kArenaSize = 64UL * 1024;

constexpr int kLocked = 1;  // of CRYPTO_secure_malloc_init; 2: reserved, but something failed

constinit void* arena = nullptr;

// A child inherits the arena and its exclusion from core dumps, but no memory lock.
void LockInChild() { mlock2(arena, kArenaSize, MLOCK_ONFAULT); }

// OpenSSL does not tell where the arena is; a block as large as the whole of it does.
void LockAgainAfterFork() {
    arena = OPENSSL_secure_malloc(kArenaSize);
    OPENSSL_secure_free(arena);
    if (arena != nullptr) pthread_atfork(nullptr, nullptr, LockInChild);
}

// Ordinary memory where the arena is full; without an arena OpenSSL takes it by itself.
std::uint8_t* AllocateKey() {
    void* bytes = OPENSSL_secure_zalloc(SecretKey::kSize);
    if (bytes == nullptr) bytes = OPENSSL_zalloc(SecretKey::kSize);
    if (bytes == nullptr) throw std::bad_alloc();
    return static_cast<std::uint8_t*>(bytes);
}

}  // namespace

bool InitSecureHeap() {
    if (CRYPTO_secure_malloc_initialized() != 0) return true;
    const int outcome = CRYPTO_secure_malloc_init(kArenaSize, SecretKey::kSize);
    if (outcome == kLocked) LockAgainAfterFork();
    return outcome == kLocked;
}

bool ConstantTimeEqual(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Wipe(ByteSpan bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

SecretKey::SecretKey() : bytes_(AllocateKey()) {}

SecretKey::SecretKey(ByteView bytes) : bytes_(nullptr) {
    if (bytes.size() != kSize) throw Error(errc::kInvalidParameter, "a key must be 32 bytes long");
    bytes_ = AllocateKey();
    std::copy(bytes.begin(), bytes.end(), bytes_);
}

// Wipes, in the arena and out of it; nothing for a key moved from.
SecretKey::~SecretKey() { OPENSSL_secure_clear_free(bytes_, kSize); }

SecretKey::SecretKey(SecretKey&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
    SecretKey taken(std::move(other));
    std::swap(bytes_, taken.bytes_);
    return *this;
}

SecretKey SecretKey::Random() {
    SecretKey key;
    CheckOpenSsl(RAND_priv_bytes(key.bytes_, static_cast<int>(kSize)) == 1,
                 "random number generator");
    return key;
}

}  // namespace rampart
