// SHA-256, HMAC-SHA256 and HKDF-SHA256.
#include <gtest/gtest.h>

#include "crypto/hkdf.hpp"
#include "crypto/hmac.hpp"
#include "crypto/sha256.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::Hex;
using test::PublishedVectors;
using test::Vector;

TEST(Sha256, AnswersAsPublished) {
    // FIPS 180-4, examples of NIST.
    EXPECT_EQ(Hex(Sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(Hex(Sha256(AsBytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(Hex(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// RFC 2104 pads a shorter key with zeros and hashes one longer than a block, so that the 32 bytes
// of a SecretKey can stand for each key of RFC 4231.
SecretKey HmacKey(Bytes key) {
    if (key.size() > 64) return SecretKey(Sha256(key));
    key.resize(SecretKey::kSize);
    return SecretKey(key);
}

std::string Mac(const HmacSha256& hmac, std::initializer_list<ByteView> parts) {
    HmacSha256::Message message = hmac.Start();
    for (const ByteView part : parts) message.Update(part);
    Bytes mac(HmacSha256::kSize);
    message.Final(mac.data());
    return Hex(mac);
}

TEST(Hmac, AnswersAsPublished) {
    const auto vectors = PublishedVectors("HMAC/rfc-4231-sha256.txt", "Len");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    EXPECT_EQ(vectors.size(), 6U);
    for (const Vector& vector : vectors) {
        const Bytes message = vector.Hex("Msg");
        const ByteView whole(message);
        const std::string& expected = vector.Text("MD");
        const SecretKey key = HmacKey(vector.Hex("Key"));
        const HmacSha256 hmac(key);
        EXPECT_EQ(Mac(hmac, {whole}), expected);
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            EXPECT_EQ(Mac(hmac, {whole.first(cut), whole.subspan(cut)}), expected);
            EXPECT_EQ(Mac(HmacSha256(key, whole.first(cut)), {whole.subspan(cut)}), expected);
        }
    }
}

TEST(Hmac, MessagesDoNotDisturbOneAnother) {
    const HmacSha256 hmac(SecretKey(Bytes(32, 7)), AsBytes("prefix"));
    const std::string expected = Mac(hmac, {AsBytes("message")});
    HmacSha256::Message abandoned = hmac.Start();
    abandoned.Update(AsBytes("something else"));
    EXPECT_EQ(Mac(hmac, {AsBytes("message")}), expected);
    EXPECT_NE(Mac(hmac, {AsBytes("messagf")}), expected);
}

TEST(Hkdf, AnswersAsPublished) {
    const auto vectors = PublishedVectors("KDF/rfc-5869-HKDF-SHA256.txt", "COUNT");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    EXPECT_EQ(vectors.size(), 3U);
    for (const Vector& vector : vectors) {
        Bytes out(vector.Number("L"));
        HkdfSha256(vector.Hex("IKM"), vector.Hex("salt"), vector.Hex("info"), out);
        EXPECT_EQ(Hex(out), vector.Text("OKM"));
    }
}

TEST(Hkdf, DerivedKeysAreSeparate) {
    const SecretKey key(Bytes(32, 7));
    const auto derive = [&](std::string_view salt, std::string_view info) {
        return Hex(DeriveKey(key, AsBytes(salt), AsBytes(info)).Reveal());
    };
    EXPECT_EQ(derive("s", "a"), derive("s", "a"));
    EXPECT_NE(derive("s", "a"), derive("s", "b"));
    EXPECT_NE(derive("s", "a"), derive("t", "a"));
    EXPECT_NE(derive("", "a"), derive("", ""));
}

}  // namespace
}  // namespace rampart
