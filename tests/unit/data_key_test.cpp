// Whole ciphertexts: sealing, opening, and every kind of forgery.
#include "keyring/data_key.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "keyring/index_key.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::ToBytes;

constexpr std::uint64_t kKeyId = 0x0123456789abcdef;
constexpr std::size_t kSizes[] = {0, 1, 15, 16, 17, 32, 300};

struct Sealed {
    Mode mode;
    Bytes aad;
    Bytes plaintext;
    Bytes bytes;
};

class DataKeyTest : public testing::Test {
  protected:
    DataKeyTest()
        : key_(Bytes(32, 7)), data_key_(kKeyId, key_), index_key_("pii", SecretKey(Bytes(32, 8))) {}

    Sealed Seal(Mode mode, Bytes aad, Bytes plaintext, Kind kind = Kind::kText) {
        Bytes out(kCiphertextOverhead + plaintext.size());
        if (mode == Mode::kRandomised) {
            data_key_.SealRandomised(kind, aad, plaintext, out.data());
        } else {
            Bytes iv(Aead::kIvSize);
            index_key_.DeterministicIv(kind, aad, plaintext, iv.data());
            data_key_.SealDeterministic(kind, iv.data(), aad, plaintext, out.data());
        }
        return {mode, std::move(aad), std::move(plaintext), std::move(out)};
    }

    std::optional<Bytes> Open(const Bytes& bytes, const Bytes& aad) {
        const auto parsed = ParseCiphertext(bytes);
        if (!parsed) return std::nullopt;
        Bytes out(parsed->body.size());
        if (!data_key_.Open(*parsed, aad, out.data())) return std::nullopt;
        return out;
    }

    void ForEachSealed(const std::function<void(const Sealed&)>& check) {
        for (const Mode mode : {Mode::kRandomised, Mode::kDeterministic}) {
            for (const std::size_t size : kSizes) {
                check(Seal(mode, {}, Bytes(size, 'p')));
                check(Seal(mode, ToBytes("users.email"), Bytes(size, 'p')));
            }
        }
    }

    SecretKey key_;
    DataKey data_key_;
    IndexKey index_key_;
};

Bytes WithBitFlipped(Bytes bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    return bytes;
}

TEST_F(DataKeyTest, RoundTrips) {
    ForEachSealed([&](const Sealed& sealed) {
        const auto parsed = ParseCiphertext(sealed.bytes);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->mode, sealed.mode);
        EXPECT_EQ(parsed->kind, Kind::kText);
        EXPECT_EQ(parsed->key_id, kKeyId);
        EXPECT_EQ(Open(sealed.bytes, sealed.aad), sealed.plaintext);
    });
}

TEST_F(DataKeyTest, RandomisedValuesDiffer) {
    std::set<Bytes> seen;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(seen.insert(Seal(Mode::kRandomised, {}, ToBytes("same")).bytes).second);
    }
}

TEST_F(DataKeyTest, DeterministicValuesAreEqual) {
    EXPECT_EQ(Seal(Mode::kDeterministic, {}, ToBytes("same")).bytes,
              Seal(Mode::kDeterministic, {}, ToBytes("same")).bytes);
}

TEST_F(DataKeyTest, RefusesEveryFlippedBit) {
    ForEachSealed([&](const Sealed& sealed) {
        for (std::size_t bit = 0; bit < 8 * sealed.bytes.size(); ++bit) {
            EXPECT_FALSE(Open(WithBitFlipped(sealed.bytes, bit), sealed.aad)) << "bit " << bit;
        }
        for (std::size_t bit = 0; bit < 8 * sealed.aad.size(); ++bit) {
            EXPECT_FALSE(Open(sealed.bytes, WithBitFlipped(sealed.aad, bit))) << "aad bit " << bit;
        }
    });
}

TEST_F(DataKeyTest, RefusesEveryTruncation) {
    ForEachSealed([&](const Sealed& sealed) {
        for (std::size_t size = 0; size < sealed.bytes.size(); ++size) {
            EXPECT_FALSE(Open(Bytes(sealed.bytes.begin(),
                                    sealed.bytes.begin() + static_cast<std::ptrdiff_t>(size)),
                              sealed.aad));
        }
        Bytes longer = sealed.bytes;
        longer.push_back(0);
        EXPECT_FALSE(Open(longer, sealed.aad));
    });
}

TEST_F(DataKeyTest, RefusesAnotherAad) {
    ForEachSealed([&](const Sealed& sealed) {
        EXPECT_FALSE(Open(sealed.bytes, ToBytes("users.phone")));
        Bytes longer = sealed.aad;
        longer.push_back(0);
        EXPECT_FALSE(Open(sealed.bytes, longer));
        if (!sealed.aad.empty()) {
            EXPECT_FALSE(Open(sealed.bytes, {}));
        }
    });
}

// All values of the two bytes that say what a ciphertext is, beyond single bits.
TEST_F(DataKeyTest, RefusesEveryOtherModeAndKind) {
    const Sealed sealed = Seal(Mode::kRandomised, {}, ToBytes("secret"));
    for (const std::size_t position : {0U, 1U}) {
        for (unsigned value = 0; value < 256; ++value) {
            Bytes altered = sealed.bytes;
            altered[position] = static_cast<std::uint8_t>(value);
            if (altered == sealed.bytes) continue;
            EXPECT_FALSE(Open(altered, {})) << value;
        }
    }
}

TEST_F(DataKeyTest, RefusesOtherKeys) {
    const Sealed sealed = Seal(Mode::kRandomised, {}, ToBytes("secret"));
    const auto parsed = ParseCiphertext(sealed.bytes);
    Bytes out(parsed->body.size(), 0xff);
    DataKey other_key(kKeyId, SecretKey(Bytes(32, 9)));
    EXPECT_FALSE(other_key.Open(*parsed, {}, out.data()));
    EXPECT_EQ(out, Bytes(out.size()));
    // The same key under another id has other subkeys.
    DataKey other_id(kKeyId + 1, key_);
    EXPECT_FALSE(other_id.Open(*parsed, {}, out.data()));
}

// The estimate of two million values is within five standard deviations; the other mode is not
// counted.
TEST_F(DataKeyTest, CountsRandomisedValuesBySampling) {
    constexpr double kValues = 2'000'000;
    std::array<std::uint8_t, kCiphertextOverhead> out;
    for (int i = 0; i < kValues; ++i) data_key_.SealRandomised(Kind::kText, {}, {}, out.data());
    const double expected = kValues / DataKey::kValuesPerSample;
    EXPECT_NEAR(data_key_.samples(), expected, 5 * std::sqrt(expected));
    EXPECT_NE(data_key_.TakeSamples(), 0U);
    EXPECT_EQ(data_key_.TakeSamples(), 0U);
}

TEST_F(DataKeyTest, CountsExactlyTheIvsThatEndInTwelveZeroBits) {
    std::uint32_t samples = 0;
    for (int i = 0; i < 50'000; ++i) {
        const Bytes sealed = Seal(Mode::kRandomised, {}, {}).bytes;
        samples += (sealed[kBodyOffset - 2] & 0x0f) == 0 && sealed[kBodyOffset - 1] == 0;
    }
    EXPECT_EQ(data_key_.samples(), samples);
}

TEST_F(DataKeyTest, DoesNotCountDeterministicValues) {
    std::array<std::uint8_t, kCiphertextOverhead> out;
    const Bytes iv(Aead::kIvSize);  // would be a sample
    data_key_.SealDeterministic(Kind::kText, iv.data(), {}, {}, out.data());
    EXPECT_EQ(data_key_.samples(), 0U);
}

// One key stream for two modes would give the one's plaintext to whoever knows the other's.
TEST_F(DataKeyTest, ModesShareNoKey) {
    const Sealed randomised = Seal(Mode::kRandomised, {}, Bytes(32));
    const Bytes iv(randomised.bytes.begin() + kIvOffset, randomised.bytes.begin() + kBodyOffset);
    Bytes deterministic(randomised.bytes.size());
    data_key_.SealDeterministic(Kind::kText, iv.data(), {}, Bytes(32), deterministic.data());
    EXPECT_FALSE(std::equal(deterministic.begin() + kBodyOffset, deterministic.end() - kTagSize,
                            randomised.bytes.begin() + kBodyOffset));
}

}  // namespace
}  // namespace rampart
