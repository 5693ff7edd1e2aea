#include "crypto/key_wrap.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::Hex;
using test::PublishedVectors;
using test::Vector;

TEST(KeyWrap, WrapsAsPublished) {
    const auto vectors = PublishedVectors("keywrap/kwtestvectors/KWP_AE_256.txt", "COUNT");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    EXPECT_GE(vectors.size(), 500U);
    for (const Vector& vector : vectors) {
        EXPECT_EQ(Hex(WrapKey(vector.Key("K"), vector.Hex("P"))), vector.Text("C"));
    }
}

// No published case holds a 256-bit key, so all that these wrap, authentic or not, is refused: some
// have the length of a wrapped 256-bit key and hold 31 bytes. What unwraps is held against another
// implementation by the golden files.
TEST(KeyWrap, RefusesWhatHoldsNoKey) {
    const auto vectors = PublishedVectors("keywrap/kwtestvectors/KWP_AD_256.txt", "COUNT");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    int of_right_length = 0;
    for (const Vector& vector : vectors) {
        const Bytes wrapped = vector.Hex("C");
        if (wrapped.size() == 40) ++of_right_length;
        EXPECT_FALSE(UnwrapKey(vector.Key("K"), wrapped).has_value());
    }
    EXPECT_GE(of_right_length, 100);
}

TEST(KeyWrap, RoundTrips) {
    const SecretKey kek = SecretKey::Random();
    const SecretKey key = SecretKey::Random();
    const Bytes wrapped = WrapKey(kek, key.Reveal());
    EXPECT_EQ(wrapped.size(), 40U);
    const auto unwrapped = UnwrapKey(kek, wrapped);
    ASSERT_TRUE(unwrapped.has_value());
    EXPECT_TRUE(ConstantTimeEqual(unwrapped->Reveal(), key.Reveal()));
}

TEST(KeyWrap, RefusesEveryChange) {
    const SecretKey kek = SecretKey::Random();
    const Bytes wrapped = WrapKey(kek, SecretKey::Random().Reveal());
    for (std::size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
        Bytes altered = wrapped;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_FALSE(UnwrapKey(kek, altered).has_value()) << "bit " << bit;
    }
    for (std::size_t size = 0; size < wrapped.size(); ++size) {
        EXPECT_FALSE(UnwrapKey(kek, ByteView(wrapped).first(size)).has_value());
    }
    EXPECT_FALSE(UnwrapKey(SecretKey::Random(), wrapped).has_value());
}

// The server's own TLS reads OpenSSL's error queue after each call.
TEST(KeyWrap, LeavesNoErrorBehind) {
    ERR_clear_error();
    EXPECT_FALSE(UnwrapKey(SecretKey::Random(), Bytes(40)).has_value());
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace rampart
