#include "keyring/index_key.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace rampart {
namespace {

using test::Hex;

const SecretKey& Key() {
    static const SecretKey key(test::Bytes(32, 7));
    return key;
}

std::string Iv(std::string_view scope, Kind kind, std::string_view aad, std::string_view text) {
    test::Bytes iv(12);
    IndexKey(scope, Key()).DeterministicIv(kind, AsBytes(aad), AsBytes(text), iv.data());
    return Hex(iv);
}

std::string Token(std::string_view scope, std::string_view context, std::string_view text) {
    return Hex(IndexKey(scope, Key()).BlindIndex(AsBytes(context), AsBytes(text)));
}

TEST(IndexKey, IvCoversScopeKindAadAndPlaintext) {
    EXPECT_EQ(Iv("pii", Kind::kText, "a", "b"), Iv("pii", Kind::kText, "a", "b"));
    const std::set<std::string> ivs{
        Iv("pii", Kind::kText, "a", "b"), Iv("pij", Kind::kText, "a", "b"),
        Iv("pii", Kind::kBytea, "a", "b"), Iv("pii", Kind::kText, "", "b"),
        Iv("pii", Kind::kText, "a", "c")};
    EXPECT_EQ(ivs.size(), 5U);
}

// Moving a byte across a field's border gives other lengths, so another message.
TEST(IndexKey, FieldsDoNotRunTogether) {
    EXPECT_NE(Iv("pii", Kind::kText, "ab", "c"), Iv("pii", Kind::kText, "a", "bc"));
    EXPECT_NE(Iv("pii", Kind::kText, "ab", ""), Iv("pii", Kind::kText, "", "ab"));
    EXPECT_NE(Token("pii", "ab", "c"), Token("pii", "a", "bc"));
    EXPECT_NE(Token("pi", "iab", "c"), Token("pii", "ab", "c"));
}

TEST(IndexKey, BlindIndexTellsNothingOfTheIv) {
    EXPECT_EQ(Token("pii", "users.email", "x"), Token("pii", "users.email", "x"));
    EXPECT_NE(Token("pii", "users.email", "x"), Token("pii", "users.phone", "x"));
    EXPECT_NE(Token("pii", "", "x").substr(0, 24), Iv("pii", Kind::kText, "", "x"));
}

}  // namespace
}  // namespace rampart
