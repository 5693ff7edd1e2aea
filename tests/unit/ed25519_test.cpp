// Ed25519 signatures.
#include <gtest/gtest.h>

#include "crypto/ed25519.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::FromHex;
using test::Hex;

struct Example {
    std::string seed, public_key, message, signature;
};

void Answers(const Example& example) {
    const Ed25519Key key{SecretKey(FromHex(example.seed))};
    const Bytes message = FromHex(example.message);
    EXPECT_EQ(Hex(key.public_key()), example.public_key);
    EXPECT_EQ(Hex(key.Sign(message)), example.signature);
    EXPECT_TRUE(Ed25519Verify(key.public_key(), message, FromHex(example.signature)));
}

TEST(Ed25519, AnswersAsRfc8032Has) {
    // RFC 8032, 7.1: tests 1 to 3 and SHA(abc).
    Answers({"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
             "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
             "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
             "39701cf9b46bd25bf5f0595bbe24655141438e7a100b"});
    Answers({"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
             "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
             "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"});
    Answers({"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
             "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
             "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67"
             "f760984dc6594a7c15e9716ed28dc027beceea1ec40a"});
    Answers({"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
             "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
             "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba"
             "3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
             "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfb"
             "c7c66431e0303dca179c138ac17ad9bef1177331a704"});
}

// The vectors of ed25519.cr.yp.to: seed and public key, public key, message, signature and message.
TEST(Ed25519, AnswersAsPublished) {
    const auto lines = test::PublishedLines("asymmetric/Ed25519/sign.input");
    if (lines.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    EXPECT_EQ(lines.size(), 1024U);
    for (const std::string& line : lines) {
        std::vector<std::string> fields;
        for (std::size_t begin = 0; begin < line.size();) {
            const std::size_t end = line.find(':', begin);
            fields.push_back(line.substr(begin, end - begin));
            begin = end + 1;
        }
        ASSERT_EQ(fields.size(), 4U);
        Answers({fields[0].substr(0, 64), fields[1], fields[2], fields[3].substr(0, 128)});
    }
}

TEST(Ed25519, RefusesEveryChangedBit) {
    const Ed25519Key key(SecretKey::Random());
    Bytes message = test::ToBytes("head");
    const Ed25519Signature signature = key.Sign(message);
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
        Ed25519Signature changed = signature;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(Ed25519Verify(key.public_key(), message, changed)) << bit;
    }
    for (std::size_t bit = 0; bit < key.public_key().size() * 8; ++bit) {
        Ed25519PublicKey changed = key.public_key();
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(Ed25519Verify(changed, message, signature)) << bit;
    }
    message[0] ^= 1;
    EXPECT_FALSE(Ed25519Verify(key.public_key(), message, signature));
}

TEST(Ed25519, RefusesOtherLengthsAndUnreducedScalars) {
    const Ed25519Key key(SecretKey(Bytes(32, 7)));
    const Ed25519Signature signature = key.Sign({});
    const ByteView whole(signature);
    Bytes longer(signature.begin(), signature.end());
    longer.push_back(0);
    EXPECT_FALSE(Ed25519Verify(key.public_key(), {}, longer));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(Ed25519Verify(key.public_key(), {}, whole.first(size))) << size;
    }
    // S + L is the same scalar modulo the order of the group; RFC 8032, 5.1.7, has it refused.
    const Bytes order = FromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    Ed25519Signature unreduced = signature;
    unsigned carry = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        carry += unreduced[32 + i] + unsigned{order[i]};
        unreduced[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    EXPECT_FALSE(Ed25519Verify(key.public_key(), {}, unreduced));
}

TEST(Ed25519, KeysMoveAndDiffer) {
    Ed25519Key key(SecretKey(Bytes(32, 7)));
    const Ed25519PublicKey public_key = key.public_key();
    const Ed25519Key moved(std::move(key));
    EXPECT_TRUE(Ed25519Verify(public_key, {}, moved.Sign({})));
    EXPECT_NE(public_key, Ed25519Key(SecretKey(Bytes(32, 8))).public_key());
}

}  // namespace
}  // namespace rampart
