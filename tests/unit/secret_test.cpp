#include "secret.hpp"

#include <cstring>
#include <fstream>
#include <new>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;

Bytes Revealed(const SecretKey& key) { return {key.Reveal().begin(), key.Reveal().end()}; }

TEST(SecretKey, HoldsWhatItIsGiven) {
    const Bytes bytes(32, 7);
    EXPECT_EQ(Revealed(SecretKey(bytes)), bytes);
    EXPECT_EQ(Revealed(SecretKey(bytes).Clone()), bytes);
    EXPECT_EQ(Revealed(SecretKey()), Bytes(32));
    EXPECT_NE(Revealed(SecretKey::Random()), Revealed(SecretKey::Random()));
}

TEST(SecretKey, RefusesOtherLengths) {
    for (const std::size_t size : {0U, 16U, 31U, 33U, 64U}) {
        try {
            const SecretKey key{Bytes(size)};
            FAIL() << size;
        } catch (const Error& error) {
            EXPECT_EQ(error.state().view(), errc::kInvalidParameter.view());
        }
    }
}

TEST(SecretKey, IsEmptyOnceMoved) {
    SecretKey key(Bytes(32, 7));
    SecretKey taken(std::move(key));
    EXPECT_TRUE(key.Reveal().empty());  // NOLINT(bugprone-use-after-move): what is being tested
    EXPECT_EQ(Revealed(taken), Bytes(32, 7));

    SecretKey assigned(Bytes(32, 8));
    assigned = std::move(taken);
    EXPECT_TRUE(taken.Reveal().empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(Revealed(assigned), Bytes(32, 7));
    EXPECT_THROW(taken.Clone(), Error);
}

// A released block of the locked heap stays mapped, so that one can look. OpenSSL keeps its list of
// free blocks in the first bytes; the rest is as the release left it.
TEST(SecretKey, IsWipedWhenReleased) {
    if (!InitSecureHeap()) GTEST_SKIP() << "memory cannot be locked here";
    constexpr std::size_t kFreeListEntry = 2 * sizeof(void*);
    const volatile std::uint8_t* left;
    {
        const SecretKey key(Bytes(32, 7));
        ASSERT_EQ(CRYPTO_secure_allocated(key.Reveal().data()), 1);
        left = key.Reveal().data();
    }
    for (std::size_t i = kFreeListEntry; i < SecretKey::kSize; ++i) EXPECT_EQ(left[i], 0);
}

TEST(SecretKey, OutgrowsTheLockedHeap) {
    InitSecureHeap();
    std::vector<SecretKey> keys;
    for (std::uint8_t round = 0; round < 20; ++round) {
        for (int i = 0; i < 256; ++i) keys.emplace_back(Bytes(32, round));
    }
    EXPECT_EQ(CRYPTO_secure_allocated(keys.back().Reveal().data()), 0);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(keys[i].Reveal()[31], static_cast<std::uint8_t>(i / 256));
    }
}

std::size_t LockedKilobytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmLck:")) return std::stoul(line.substr(6));
    }
    return 0;
}

TEST(SecureHeap, StaysLockedInAChild) {
    if (!InitSecureHeap() || LockedKilobytes() == 0) {
        GTEST_SKIP() << "memory cannot be locked here";
    }
    const pid_t child = fork();
    if (child == 0) _exit(LockedKilobytes() >= 64 ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(SecureHeap, CanBeInitialisedAgain) { EXPECT_EQ(InitSecureHeap(), InitSecureHeap()); }

TEST(Secret, ComparesInConstantTime) {
    EXPECT_TRUE(ConstantTimeEqual({}, {}));
    EXPECT_TRUE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2}));
    EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 3}));
    EXPECT_FALSE(ConstantTimeEqual(Bytes{1, 2}, Bytes{1, 2, 3}));
}

TEST(Secret, Wipes) {
    Bytes bytes(100, 7);
    Wipe(bytes);
    EXPECT_EQ(bytes, Bytes(100));
    Wipe({});
}

TEST(Secret, ScratchIsWipedAtItsEnd) {
    alignas(Scratch<64>) volatile std::uint8_t memory[sizeof(Scratch<64>)] = {};
    auto* scratch = new (const_cast<std::uint8_t*>(memory)) Scratch<64>;
    scratch->fill(7);
    EXPECT_EQ(memory[0], 7);
    scratch->~Scratch();
    for (const volatile std::uint8_t& byte : memory) EXPECT_EQ(byte, 0);
}

}  // namespace
}  // namespace rampart
