#include "crypto/aead.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;
using test::Hex;
using test::PublishedVectors;
using test::Vector;

// The interface fixes 96-bit IVs and 128-bit tags.
bool InScope(const Vector& vector) {
    return vector.Number("IVlen") == 96 && vector.Number("Taglen") == 128;
}

TEST(Aead, SealsAsPublished) {
    const auto vectors = PublishedVectors("ciphers/AES/GCM/gcmEncryptExtIV256.rsp", "Count");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    int checked = 0;
    for (const Vector& vector : vectors) {
        if (!InScope(vector)) continue;
        const Bytes aad = vector.Hex("AAD");
        const Bytes plaintext = vector.Hex("PT");
        Aead aead(vector.Key("Key"));
        // The same message each time, with the associated data divided differently.
        for (const std::size_t cut : {std::size_t{0}, aad.size() / 2, aad.size()}) {
            const ByteView whole(aad);
            Bytes out(plaintext.size());
            Bytes tag(Aead::kTagSize);
            aead.Seal(vector.Hex("IV").data(), whole.first(cut), whole.subspan(cut), plaintext,
                      out.data(), tag.data());
            EXPECT_EQ(Hex(out), vector.Text("CT"));
            EXPECT_EQ(Hex(tag), vector.Text("Tag"));
        }
        ++checked;
    }
    EXPECT_GE(checked, 375);
}

TEST(Aead, OpensAsPublished) {
    const auto vectors = PublishedVectors("ciphers/AES/GCM/gcmDecrypt256.rsp", "Count");
    if (vectors.empty()) GTEST_SKIP() << test::kNoPublishedVectors;
    int opened = 0;
    int refused = 0;
    for (const Vector& vector : vectors) {
        if (!InScope(vector)) continue;
        const Bytes ciphertext = vector.Hex("CT");
        Bytes out(ciphertext.size(), 0xff);
        Aead aead(vector.Key("Key"));
        const bool authentic = aead.Open(vector.Hex("IV").data(), vector.Hex("AAD"), {}, ciphertext,
                                         vector.Hex("Tag").data(), out.data());
        EXPECT_EQ(authentic, !vector.fails);
        // A refused plaintext must not be left behind.
        EXPECT_EQ(Hex(out), authentic ? vector.Text("PT") : Hex(Bytes(out.size())));
        ++(authentic ? opened : refused);
    }
    EXPECT_GE(opened, 150);
    EXPECT_GE(refused, 150);
}

TEST(Aead, ContextsAreReusable) {
    Aead aead{SecretKey(Bytes(32, 7))};
    const Bytes iv(12, 1);
    const Bytes plaintext = test::ToBytes("the same message");
    Bytes first(plaintext.size());
    Bytes first_tag(16);
    aead.Seal(iv.data(), {}, {}, plaintext, first.data(), first_tag.data());

    Bytes out(plaintext.size());
    Bytes bad_tag = first_tag;
    bad_tag[0] ^= 1;
    EXPECT_FALSE(aead.Open(iv.data(), {}, {}, first, bad_tag.data(), out.data()));
    EXPECT_TRUE(aead.Open(iv.data(), {}, {}, first, first_tag.data(), out.data()));
    EXPECT_EQ(out, plaintext);

    Aead moved = std::move(aead);
    Bytes again(plaintext.size());
    Bytes again_tag(16);
    moved.Seal(iv.data(), {}, {}, plaintext, again.data(), again_tag.data());
    EXPECT_EQ(again, first);
    EXPECT_EQ(again_tag, first_tag);
}

TEST(Aead, WorksInPlace) {
    Aead aead{SecretKey(Bytes(32, 7))};
    const Bytes iv(12, 1);
    const Bytes plaintext(1000, 'x');
    Bytes buffer = plaintext;
    Bytes tag(16);
    aead.Seal(iv.data(), {}, {}, buffer, buffer.data(), tag.data());
    EXPECT_NE(buffer, plaintext);
    EXPECT_TRUE(aead.Open(iv.data(), {}, {}, buffer, tag.data(), buffer.data()));
    EXPECT_EQ(buffer, plaintext);
}

// Encrypts zeros by steps far below the lengths that EVP takes at once.
Bytes TagOfZeros(const Bytes& key, const Bytes& iv, std::size_t size) {
    constexpr std::size_t kStep = std::size_t{1} << 20;
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), iv.data());
    const Bytes zeros(kStep);
    Bytes out(kStep);
    int written = 0;
    while (size > 0) {
        const std::size_t step = std::min(size, kStep);
        EVP_EncryptUpdate(context.get(), out.data(), &written, zeros.data(),
                          static_cast<int>(step));
        size -= step;
    }
    EVP_EncryptFinal_ex(context.get(), out.data(), &written);
    Bytes tag(16);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    return tag;
}

// Longer than one chunk, and than an int: 2 GB of memory, so only on request.
TEST(Aead, SealsMoreThanAnIntCanCount) {
    if (std::getenv("RAMPART_LARGE_TESTS") == nullptr) {
        GTEST_SKIP() << "set RAMPART_LARGE_TESTS to run it; takes 2 GB of memory";
    }
    const Bytes key(32, 7);
    const Bytes iv(12, 1);
    Bytes buffer((std::size_t{1} << 31) + 100);
    Bytes tag(16);
    Aead aead{SecretKey(key)};
    aead.Seal(iv.data(), {}, {}, buffer, buffer.data(), tag.data());
    EXPECT_EQ(Hex(tag), Hex(TagOfZeros(key, iv, buffer.size())));
    EXPECT_TRUE(aead.Open(iv.data(), {}, {}, buffer, tag.data(), buffer.data()));
    EXPECT_EQ(std::count(buffer.begin(), buffer.end(), 0),
              static_cast<std::ptrdiff_t>(buffer.size()));
}

}  // namespace
}  // namespace rampart
