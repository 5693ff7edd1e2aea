#include "crypto/random.hpp"

#include <algorithm>
#include <climits>

#include <openssl/rand.h>
#include <pthread.h>

#include "crypto/openssl.hpp"
#include "secret.hpp"

namespace rampart {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::size_t kBatchSize = kBatch * IvPool::kIvSize;

struct Pool {
    std::uint8_t bytes[kBatchSize];
    std::size_t next = kBatchSize;  // kBatchSize: empty
    bool watches_fork = false;
};
constinit Pool pool{};

void Drop() {
    Wipe(pool.bytes);
    pool.next = kBatchSize;
}

void Refill() {
    // The handler must be in place before there is anything a child could inherit.
    if (!pool.watches_fork) {
        CheckOpenSsl(pthread_atfork(nullptr, nullptr, Drop) == 0, "registration of fork handler");
        pool.watches_fork = true;
    }
    RandomBytes(pool.bytes);
    pool.next = 0;
}

}  // namespace

void RandomBytes(ByteSpan out) {
    while (!out.empty()) {
        const std::size_t size = std::min<std::size_t>(out.size(), INT_MAX);
        CheckOpenSsl(RAND_bytes(out.data(), static_cast<int>(size)) == 1,
                     "random number generator");
        out = out.subspan(size);
    }
}

void IvPool::Next(std::uint8_t* iv) {
    if (pool.next == kBatchSize) Refill();
    std::uint8_t* given = pool.bytes + pool.next;
    std::copy_n(given, kIvSize, iv);
    std::fill_n(given, kIvSize, std::uint8_t{0});
    pool.next += kIvSize;
}

}  // namespace rampart
