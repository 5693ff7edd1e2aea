#include "crypto/random.hpp"

#include <algorithm>
#include <climits>

#include <openssl/rand.h>
#include <pthread.h>

#include "crypto/openssl.hpp"
#include "secret.hpp"

namespace rampart {
namespace {

constexpr std::size_t kBatchSize = 6144;
static_assert(kBatchSize >= RandomPool::kMaxSize);

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

void RandomPool::Next(ByteSpan out) {
    if (kBatchSize - pool.next < out.size()) Refill();
    std::uint8_t* given = pool.bytes + pool.next;
    std::copy_n(given, out.size(), out.data());
    std::fill_n(given, out.size(), std::uint8_t{0});
    pool.next += out.size();
}

}  // namespace rampart
