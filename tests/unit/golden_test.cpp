// Holds the golden files of tests/vectors, which pin the formats on disk, against Rampart.
// independent_test.py holds them against another implementation.
#include <gtest/gtest.h>

#include "crypto/hkdf.hpp"
#include "keyring/data_key.hpp"
#include "keyring/index_key.hpp"
#include "keyring/root_key.hpp"
#include "typmod.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::GoldenVectors;
using test::Hex;
using test::Vector;

Kind KindOf(const Vector& vector) {
    for (std::uint8_t kind = 1; kind <= kMaxKind; ++kind) {
        if (KindName(Kind{kind}) == vector.Text("Kind")) return Kind{kind};
    }
    throw std::runtime_error("unknown kind " + vector.Text("Kind"));
}

Mode ModeOf(const Vector& vector) {
    return vector.Text("Mode") == ModeName(Mode::kRandomised) ? Mode::kRandomised
                                                              : Mode::kDeterministic;
}

// A data key draws its own IVs in randomised mode, so the golden bytes are put together here.
Bytes SealWithIv(const Vector& vector) {
    const std::uint64_t key_id = vector.Number("KeyId", 16);
    const Bytes iv = vector.Hex("IV");
    const Bytes plaintext = vector.Hex("Plaintext");
    Bytes salt(8);
    StoreBigEndian(key_id, salt.data());
    Bytes out(kCiphertextOverhead + plaintext.size());
    WriteHeader(Mode::kRandomised, KindOf(vector), key_id, out.data());
    std::copy(iv.begin(), iv.end(), out.begin() + kIvOffset);
    Aead aead(DeriveKey(vector.Key("Key"), salt, AsBytes("rampart randomised v1")));
    aead.Seal(iv.data(), ByteView(out).first(kHeaderSize), vector.Hex("AAD"), plaintext,
              out.data() + kBodyOffset, out.data() + kBodyOffset + plaintext.size());
    return out;
}

Bytes SealDeterministic(const Vector& vector) {
    const Bytes aad = vector.Hex("AAD");
    const Bytes plaintext = vector.Hex("Plaintext");
    Bytes iv(Aead::kIvSize);
    IndexKey(vector.Text("Scope"), vector.Key("IndexKey"))
        .DeterministicIv(KindOf(vector), aad, plaintext, iv.data());
    Bytes out(kCiphertextOverhead + plaintext.size());
    DataKey(vector.Number("KeyId", 16), vector.Key("Key"))
        .SealDeterministic(KindOf(vector), iv.data(), aad, plaintext, out.data());
    return out;
}

TEST(Golden, Ciphertexts) {
    for (const Vector& vector : GoldenVectors("ciphertexts.txt")) {
        SCOPED_TRACE("ciphertext " + vector.Text("Count"));
        const Bytes bytes = vector.Hex("Ciphertext");
        EXPECT_EQ(Armour(bytes), vector.Text("Armour"));
        EXPECT_EQ(Dearmour(vector.Text("Armour")), bytes);

        const auto parsed = ParseCiphertext(bytes);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->mode, ModeOf(vector));
        EXPECT_EQ(parsed->kind, KindOf(vector));
        EXPECT_EQ(KeyIdText(parsed->key_id), vector.Text("KeyId"));

        Bytes opened(parsed->body.size());
        DataKey key(parsed->key_id, vector.Key("Key"));
        ASSERT_TRUE(key.Open(*parsed, vector.Hex("AAD"), opened.data()));
        EXPECT_EQ(Hex(opened), vector.Text("Plaintext"));
        const Bytes sealed =
            parsed->mode == Mode::kRandomised ? SealWithIv(vector) : SealDeterministic(vector);
        EXPECT_EQ(Hex(sealed), vector.Text("Ciphertext"));
    }
}

TEST(Golden, WrappedKeys) {
    for (const Vector& vector : GoldenVectors("wrapped_keys.txt")) {
        SCOPED_TRACE("wrapped key " + vector.Text("Count"));
        const KeyIdentity identity{
            .id = vector.Number("KeyId", 16),
            .version = static_cast<std::uint32_t>(vector.Number("Version")),
            .purpose = vector.Text("Purpose") == "data" ? KeyPurpose::kData : KeyPurpose::kIndex,
            .scope = vector.Text("Scope")};
        const auto root = RootKey::Parse(AsBytes(vector.Text("RootKey")));
        ASSERT_TRUE(root.has_value());
        EXPECT_EQ(KeyIdText(root->fingerprint()), vector.Text("Fingerprint"));
        EXPECT_EQ(Hex(root->Wrap(identity, vector.Key("Key"))), vector.Text("Wrapped"));
        const auto key = root->Unwrap(identity, vector.Hex("Wrapped"));
        ASSERT_TRUE(key.has_value());
        EXPECT_EQ(Hex(key->Reveal()), vector.Text("Key"));
    }
}

TEST(Golden, DeterministicIvs) {
    for (const Vector& vector : GoldenVectors("deterministic_ivs.txt")) {
        Bytes iv(Aead::kIvSize);
        IndexKey(vector.Text("Scope"), vector.Key("IndexKey"))
            .DeterministicIv(KindOf(vector), vector.Hex("AAD"), vector.Hex("Plaintext"), iv.data());
        EXPECT_EQ(Hex(iv), vector.Text("IV")) << vector.Text("Count");
    }
}

TEST(Golden, BlindIndexes) {
    for (const Vector& vector : GoldenVectors("blind_indexes.txt")) {
        const IndexKey key(vector.Text("Scope"), vector.Key("IndexKey"));
        EXPECT_EQ(Hex(key.BlindIndex(vector.Hex("Context"), vector.Hex("Text"))),
                  vector.Text("BlindIndex"))
            << vector.Text("Count");
    }
}

TEST(Golden, Modifiers) {
    for (const Vector& vector : GoldenVectors("modifiers.txt")) {
        SCOPED_TRACE("modifier " + vector.Text("Count"));
        const std::string& scope = vector.Text("Scope");
        const std::string_view words[] = {scope, vector.Text("Mode")};
        const Modifier modifier = ParseModifier(words);
        EXPECT_EQ(ScopeTagText(modifier.scope_tag), "#" + vector.Text("Tag"));
        EXPECT_EQ(modifier.mode, ModeOf(vector));
        EXPECT_EQ(std::to_string(PackModifier(modifier)), vector.Text("Packed"));
        EXPECT_EQ(FormatModifier(scope, modifier.mode), vector.Text("Text"));
    }
}

}  // namespace
}  // namespace rampart
