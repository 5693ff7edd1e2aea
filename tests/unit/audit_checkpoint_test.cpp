// Checkpoints: their text, and what is believed of a signed one.
#include <gtest/gtest.h>

#include "audit/checkpoint.hpp"
#include "audit_trees.hpp"
#include "error.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;

constexpr std::string_view kRoot = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
constexpr std::string_view kOrigin = "example.com/behind-the-sofa";
const std::string kHead = std::string(kOrigin) + "\n20852163\n" + std::string(kRoot) + "\n";

Checkpoint Example() {
    const auto leaves = test::NumberedLeaves(12);
    const test::Hashes all(leaves);
    return {.origin = std::string(kOrigin),
            .security = {5, test::DefinedRoot(all.first(5))},
            .others = {{"normal", {12, test::DefinedRoot(all)}}, {"archive", {}}},
            .extensions = {"incarnation 7329482394 1"}};
}

Ed25519Key Key() { return Ed25519Key(SecretKey(Bytes(32, 7))); }

TEST(Checkpoint, ReadsTheSpecificationsExample) {
    const auto checkpoint = ParseCheckpoint(kHead);
    ASSERT_TRUE(checkpoint.has_value());
    EXPECT_EQ(checkpoint->origin, kOrigin);
    EXPECT_EQ(checkpoint->security.size, 20852163U);
    EXPECT_TRUE(checkpoint->others.empty());
    EXPECT_EQ(FormatCheckpoint(*checkpoint), kHead);
    const auto extended = ParseCheckpoint(kHead + "anything\nat all\n");
    EXPECT_EQ(extended->extensions, (std::vector<std::string>{"anything", "at all"}));
}

TEST(Checkpoint, HoldsTheHeadsOfAllClasses) {
    const Checkpoint checkpoint = Example();
    const std::string text = FormatCheckpoint(checkpoint);
    EXPECT_EQ(ParseCheckpoint(text), checkpoint);
    EXPECT_EQ(*checkpoint.Find("security"), checkpoint.security);
    EXPECT_EQ(checkpoint.Find("normal")->size, 12U);
    EXPECT_EQ(checkpoint.Find("other"), nullptr);
    const std::size_t first =
        text.find("rampart/archive 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    EXPECT_NE(first, std::string::npos);
    EXPECT_LT(first, text.find("rampart/normal 12 "));
}

TEST(ParseCheckpoint, RefusesOtherForms) {
    const std::string root = std::string(kRoot) + "\n";
    const std::string normal = "rampart/normal 7 " + root;
    EXPECT_TRUE(ParseCheckpoint(kHead + normal).has_value());
    EXPECT_TRUE(ParseCheckpoint("o\n0\n" + root).has_value());
    EXPECT_TRUE(ParseCheckpoint("o\n9223372036854775807\n" + root).has_value());
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string("o\n"), std::string("o\n1\n"),
          "o\n1\n" + std::string(kRoot), "\n1\n" + root, "o\n\n1\n" + root, "o\n01\n" + root,
          "o\n00\n" + root, "o\n-1\n" + root, "o\n+1\n" + root, "o\n1 \n" + root, "o\n 1\n" + root,
          "o\n1x\n" + root, "o\n0x1\n" + root, "o\n\n" + root, "o\n9223372036854775808\n" + root,
          "o\n18446744073709551616\n" + root, "o\n" + std::string(100'000, '1') + "\n" + root,
          "o\r\n1\r\n" + root, std::string("o\n1\nAAAA\n"), std::string("o\n1\n\n"),
          "o\n1\n " + root, "o\n1\n" + std::string(kRoot) + " \n",
          // Stray bits in the last digit.
          std::string("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n"), kHead + "\n",
          kHead + "line", kHead + "line\n\n", kHead + "a\nb\n\nc\n",
          kHead + "rampart/security 7 " + root, kHead + "rampart/ 7 " + root,
          kHead + "rampart/Normal 7 " + root, kHead + "rampart/1st 7 " + root,
          kHead + "rampart/" + std::string(64, 'a') + " 7 " + root,
          kHead + "rampart/normal 07 " + root, kHead + "rampart/normal 7\n",
          kHead + "rampart/normal\n", kHead + "rampart/normal 7 " + std::string(kRoot) + " \n",
          kHead + "rampart/normal  7 " + root, kHead + "rampart/normal 7 AAAA\n",
          kHead + normal + normal, kHead + normal + "rampart/archive 1 " + root,
          kHead + "extension\n" + normal}) {
        EXPECT_FALSE(ParseCheckpoint(text).has_value()) << text.substr(0, 300);
    }
}

TEST(FormatCheckpoint, RefusesWhatWouldReadAsSomethingElse) {
    const auto refuses = [](auto change) {
        Checkpoint checkpoint = Example();
        change(checkpoint);
        try {
            FormatCheckpoint(checkpoint);
        } catch (const Error& error) {
            return error.state().view() == "22023";
        }
        return false;
    };
    EXPECT_FALSE(refuses([](Checkpoint&) {}));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.origin = ""; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.origin = "a\nb"; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.security.size = kMaxTreeSize + 1; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.others["security"] = {}; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.others["a b"] = {}; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.extensions = {""}; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.extensions = {"a\nb"}; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.extensions = {"a\n\nb"}; }));
    EXPECT_TRUE(refuses([](Checkpoint& c) { c.extensions = {"rampart/x 1 a"}; }));
}

TEST(OpenCheckpoint, BelievesTheLogsKeyAndOrigin) {
    const Ed25519Key key = Key();
    const std::vector<NoteVerifier> trusted = {
        NoteVerifier::Make(kOrigin, key.public_key()).value()};
    const Checkpoint checkpoint = Example();
    const std::string note = SignCheckpoint(checkpoint, key);
    EXPECT_EQ(OpenCheckpoint(note, kOrigin, trusted), checkpoint);
    EXPECT_FALSE(OpenCheckpoint(note, "example.com/another", trusted).has_value());
    EXPECT_FALSE(OpenCheckpoint(note, kOrigin, {}).has_value());
    const Ed25519Key other(SecretKey(Bytes(32, 8)));
    EXPECT_FALSE(OpenCheckpoint(SignCheckpoint(checkpoint, other), kOrigin, trusted).has_value());
    // Signed, and yet no checkpoint.
    EXPECT_FALSE(OpenCheckpoint(SignNote("example.com/behind-the-sofa\n01\n", kOrigin, key),
                                kOrigin, trusted)
                     .has_value());
    for (std::size_t i = 0; i < note.size(); ++i) {
        std::string changed = note;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(OpenCheckpoint(changed, kOrigin, trusted).has_value()) << i;
    }
}

}  // namespace
}  // namespace rampart::audit
