#include "keyring/root_key.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::FromHex;
using test::ToBytes;

constexpr std::string_view kHex =
    "608af83429c60af33034596528a71eaa9cd5a4a64e59ff45712a132767442726";
constexpr KeyIdentity kIdentity{
    .id = 0x0123456789abcdef, .version = 3, .purpose = KeyPurpose::kData, .scope = "pii"};

std::optional<RootKey> Parse(std::string_view text) { return RootKey::Parse(AsBytes(text)); }
RootKey Root() { return Parse(kHex).value(); }

TEST(RootKey, ReadsHexadecimal) {
    const std::string hex(kHex);
    const std::uint64_t fingerprint = RootKey(SecretKey(FromHex(kHex))).fingerprint();
    std::string upper = hex;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    for (const std::string& text : {hex, hex + "\n", " \t" + hex + " \r\n", upper}) {
        const auto key = Parse(text);
        ASSERT_TRUE(key.has_value()) << text;
        EXPECT_EQ(key->fingerprint(), fingerprint);
    }
}

TEST(RootKey, ReadsRawBytes) {
    const auto key = RootKey::Parse(FromHex(kHex));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->fingerprint(), Root().fingerprint());
}

TEST(RootKey, RefusesEverythingElse) {
    const std::string hex(kHex);
    for (const std::string& text :
         {std::string(), std::string("\n"), hex.substr(1), hex + "0", hex + hex,
          "0x" + hex.substr(2), hex.substr(0, 32) + " " + hex.substr(32), hex.substr(0, 63) + "g",
          std::string(31, '\xff'), std::string(33, '\xff')}) {
        EXPECT_FALSE(Parse(text).has_value()) << text;
    }
}

// Both would pass for 32 raw bytes: half a hexadecimal key, and a passphrase.
TEST(RootKey, RefusesTextForRawBytes) {
    EXPECT_FALSE(Parse(kHex.substr(0, 32)).has_value());
    EXPECT_FALSE(Parse("correct horse battery staple 123").has_value());
}

TEST(RootKey, FingerprintTellsKeysApart) {
    EXPECT_EQ(Root().fingerprint(), Root().fingerprint());
    EXPECT_NE(Root().fingerprint(), RootKey(SecretKey::Random()).fingerprint());
}

TEST(RootKey, RoundTrips) {
    const SecretKey key = SecretKey::Random();
    const Bytes wrapped = Root().Wrap(kIdentity, key);
    const auto unwrapped = Root().Unwrap(kIdentity, wrapped);
    ASSERT_TRUE(unwrapped.has_value());
    EXPECT_TRUE(ConstantTimeEqual(unwrapped->Reveal(), key.Reveal()));
    EXPECT_FALSE(RootKey(SecretKey::Random()).Unwrap(kIdentity, wrapped).has_value());
}

TEST(RootKey, BindsTheIdentity) {
    const Bytes wrapped = Root().Wrap(kIdentity, SecretKey::Random());
    const auto refuses = [&](auto change) {
        KeyIdentity other = kIdentity;
        change(other);
        return !Root().Unwrap(other, wrapped).has_value();
    };
    EXPECT_TRUE(refuses([](KeyIdentity& identity) { ++identity.id; }));
    EXPECT_TRUE(refuses([](KeyIdentity& identity) { ++identity.version; }));
    EXPECT_TRUE(refuses([](KeyIdentity& identity) { identity.purpose = KeyPurpose::kIndex; }));
    EXPECT_TRUE(refuses([](KeyIdentity& identity) { identity.scope = "pij"; }));
    EXPECT_TRUE(refuses([](KeyIdentity& identity) { identity.scope = ""; }));
    EXPECT_FALSE(refuses([](KeyIdentity&) {}));
}

}  // namespace
}  // namespace rampart
