#include "typmod.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "error.hpp"

namespace rampart {
namespace {

Modifier Parse(std::vector<std::string_view> words) { return ParseModifier(words); }

void ExpectRefused(const std::vector<std::string_view>& words) {
    try {
        ParseModifier(words);
        FAIL() << (words.empty() ? "" : words[0]);
    } catch (const Error& error) {
        EXPECT_EQ(error.state().view(), errc::kBadModifier.view());
        EXPECT_FALSE(error.hint().empty());
    }
}

TEST(ScopeName, IsCheckedByteByByte) {
    for (const char* name : {"pii", "_", "P", "a-b.c_9", "Pii2"}) EXPECT_TRUE(IsScopeName(name));
    for (const char* name : {"", "9a", "-a", ".a", "a b", "a,b", "a\"", "\xc3\xa5", "#0a1b2c"}) {
        EXPECT_FALSE(IsScopeName(name)) << name;
    }
    EXPECT_TRUE(IsScopeName(std::string(63, 'a')));
    EXPECT_FALSE(IsScopeName(std::string(64, 'a')));
    EXPECT_FALSE(IsScopeName(std::string_view("a\0b", 3)));
}

TEST(Modifier, Parses) {
    const Modifier randomised{ScopeTag("pii"), Mode::kRandomised};
    const Modifier deterministic{ScopeTag("pii"), Mode::kDeterministic};
    EXPECT_EQ(Parse({"pii"}), randomised);
    EXPECT_EQ(Parse({"pii", "random"}), randomised);
    EXPECT_EQ(Parse({"pii", "Randomised"}), randomised);
    EXPECT_EQ(Parse({"pii", "deterministic"}), deterministic);
    EXPECT_EQ(Parse({"pii", "DETERMINISTIC"}), deterministic);
    EXPECT_NE(Parse({"Pii"}), randomised);
}

TEST(Modifier, ParsesATag) {
    EXPECT_EQ(Parse({"#0a1b2c"}).scope_tag, 0x0a1b2cU);
    EXPECT_EQ(Parse({"#0A1B2C"}).scope_tag, 0x0a1b2cU);
    EXPECT_EQ(Parse({ScopeTagText(ScopeTag("pii"))}), Parse({"pii"}));
    EXPECT_EQ(ScopeTagText(0x0a1b2c), "#0a1b2c");
    EXPECT_EQ(ScopeTagText(0), "#000000");
}

TEST(Modifier, RefusesOtherWords) {
    ExpectRefused({});
    ExpectRefused({""});
    ExpectRefused({"10"});
    ExpectRefused({"pii", ""});
    ExpectRefused({"pii", "det"});
    ExpectRefused({"pii", "deterministic", "x"});
    ExpectRefused({"deterministic", "pii"});
    for (const char* tag :
         {"#", "#0a1b2", "#0a1b2c3", "#0a1b2g", "#-a1b2c", "#+a1b2c", "#0x1b2c"}) {
        ExpectRefused({tag});
    }
}

TEST(Modifier, PacksInto26Bits) {
    for (const std::uint32_t tag : {0U, 1U, 0x0a1b2cU, 0xffffffU}) {
        for (const Mode mode : {Mode::kRandomised, Mode::kDeterministic}) {
            const Modifier modifier{tag, mode};
            const std::int32_t packed = PackModifier(modifier);
            EXPECT_GT(packed, 0);
            EXPECT_LT(packed, 1 << 26);
            EXPECT_EQ(UnpackModifier(packed), modifier);
        }
    }
}

TEST(Modifier, RefusesOtherNumbers) {
    for (const std::int32_t packed :
         {-1, 0, 3, 4, 1 << 26, (1 << 26) | 1, std::numeric_limits<std::int32_t>::min(),
          std::numeric_limits<std::int32_t>::max()}) {
        EXPECT_THROW(UnpackModifier(packed), Error) << packed;
    }
}

TEST(Modifier, Formats) {
    EXPECT_EQ(FormatModifier("pii", Mode::kRandomised), "(pii)");
    EXPECT_EQ(FormatModifier("pii", Mode::kDeterministic), "(pii,deterministic)");
    EXPECT_EQ(FormatModifier("#0a1b2c", Mode::kDeterministic), "(#0a1b2c,deterministic)");
}

}  // namespace
}  // namespace rampart
