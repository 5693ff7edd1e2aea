// Signed notes and their keys, and the base64 and UTF-8 they are made of.
#include <gtest/gtest.h>

#include "audit/note.hpp"
#include "crypto/base64.hpp"
#include "utf8.hpp"
#include "vectors.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;
using test::Hex;
using test::ToBytes;

// The vectors of golang.org/x/mod/sumdb/note.
constexpr std::string_view kPeterKey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kPeterSeed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kEnochKey =
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string kPeterLine =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n";
const std::string kEnochLine =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WW"
    "d1RvMc+QQ=\n";

NoteVerifier Verifier(std::string_view text) { return NoteVerifier::Parse(text).value(); }

bool Opens(const std::string& note, std::vector<NoteVerifier> trusted) {
    const auto parsed = ParseNote(note);
    return parsed && VerifyNote(*parsed, trusted);
}

TEST(NoteVerifier, ReadsAndPrintsKeys) {
    const NoteVerifier peter = Verifier(kPeterKey);
    EXPECT_EQ(peter.name(), "PeterNeumann");
    EXPECT_EQ(peter.key_id(), 0xc74f20a3U);
    EXPECT_EQ(peter.Text(), kPeterKey);
    EXPECT_EQ(NoteVerifier::Make("PeterNeumann", peter.key())->Text(), kPeterKey);
    EXPECT_NE(NoteVerifier::Make("PeterNeuman", peter.key())->key_id(), peter.key_id());
}

TEST(NoteVerifier, RefusesManglings) {
    const std::string key(kPeterKey);
    for (std::size_t begin = 0; begin <= key.size(); ++begin) {
        for (std::size_t size = 0; begin + size <= key.size(); ++size) {
            const bool whole = size == key.size();
            EXPECT_EQ(NoteVerifier::Parse(key.substr(begin, size)).has_value(), whole);
        }
    }
    for (std::size_t i = 0; i < key.size(); ++i) {
        std::string changed = key;
        ++changed[i];
        EXPECT_FALSE(NoteVerifier::Parse(changed).has_value()) << i;
    }
    // Of another length and of an unknown algorithm, with the key ids to match.
    EXPECT_FALSE(NoteVerifier::Parse(
                     "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")
                     .has_value());
    EXPECT_FALSE(
        NoteVerifier::Parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .has_value());
    EXPECT_FALSE(
        NoteVerifier::Parse("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .has_value());
}

TEST(KeyName, HasNoSpaceAndNoPlus) {
    for (const char* name : {"a", "example.com/log", "é", "a\xf0\x9f\x94\x91"}) {
        EXPECT_TRUE(IsKeyName(name)) << name;
    }
    for (const char* name : {"", "a b", "a+b", "a\tb", "a\nb", "a\xc2\xa0", "a\xe2\x80\x89",
                             "a\xe3\x80\x80", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x80"}) {
        EXPECT_FALSE(IsKeyName(name)) << name;
    }
}

TEST(SignNote, SignsAsPublished) {
    const Bytes seed = FromBase64(kPeterSeed).value();
    const Ed25519Key peter{SecretKey(ByteView(seed).subspan(1))};
    EXPECT_EQ(SignNote(kText, "PeterNeumann", peter), kText + "\n" + kPeterLine);
    for (const char* text : {"", "abc", "a\r\n", "\x01\n", "\xff\n"}) {
        EXPECT_ANY_THROW(SignNote(text, "PeterNeumann", peter)) << text;
    }
    EXPECT_ANY_THROW(SignNote(kText, "Peter Neumann", peter));
    EXPECT_ANY_THROW(SignNote(kText, "", peter));
}

TEST(VerifyNote, BelievesTrustedKeysOnly) {
    const NoteVerifier peter = Verifier(kPeterKey);
    const NoteVerifier enoch = Verifier(kEnochKey);
    const std::string both = kText + "\n" + kPeterLine + kEnochLine;
    EXPECT_TRUE(Opens(both, {peter}));
    EXPECT_TRUE(Opens(both, {enoch}));
    EXPECT_TRUE(Opens(both, {peter, enoch}));
    EXPECT_FALSE(Opens(both, {}));
    EXPECT_FALSE(Opens(kText + "\n" + kEnochLine, {peter}));
    const auto parsed = ParseNote(both);
    EXPECT_EQ(parsed->text, kText);
    ASSERT_EQ(parsed->signatures.size(), 2U);
    EXPECT_EQ(parsed->signatures[1].name, "EnochRoot");
    EXPECT_EQ(parsed->signatures[1].key_id, 0xaf0cfe78U);
}

TEST(VerifyNote, RefusesAFalseSignatureBesideATrueOne) {
    const NoteVerifier peter = Verifier(kPeterKey);
    const NoteVerifier enoch = Verifier(kEnochKey);
    std::string line = kEnochLine;
    line[line.find("5n2t")] = 'x';
    const std::string note = kText + "\n" + kPeterLine + line;
    EXPECT_TRUE(Opens(note, {peter}));  // whose the other one is, nobody knows
    EXPECT_FALSE(Opens(note, {peter, enoch}));
}

TEST(VerifyNote, RefusesEveryChangedByte) {
    const NoteVerifier peter = Verifier(kPeterKey);
    const std::string note = kText + "\n" + kPeterLine;
    ASSERT_TRUE(Opens(note, {peter}));
    for (std::size_t i = 0; i < note.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string changed = note;
            changed[i] = static_cast<char>(changed[i] ^ (1U << bit));
            EXPECT_FALSE(Opens(changed, {peter})) << i << ", " << bit;
        }
        EXPECT_FALSE(Opens(note.substr(0, i), {peter})) << i;
        EXPECT_FALSE(Opens(note.substr(i + 1), {peter})) << i;
    }
}

TEST(VerifyNote, TakesRealNotes) {
    // A head of the Go checksum database, and the poem of the specification.
    EXPECT_TRUE(
        Opens("go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
              "\n— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
              "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n",
              {Verifier("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")}));
    const auto poem = ParseNote(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito "
        "sera.\n"
        "\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrM"
        "ouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n");
    ASSERT_TRUE(poem.has_value());
    EXPECT_TRUE(poem->text.ends_with(":\n\ned è subito sera.\n"));
}

TEST(ParseNote, RefusesWhatIsNone) {
    const std::string good = kText + "\n" + kPeterLine;
    ASSERT_TRUE(ParseNote(good).has_value());
    const std::string name = "— PeterNeumann ";
    for (const std::string& note :
         {std::string(),
          std::string("\n"),
          std::string("\n\n"),
          kText,
          kText + "\n",
          kText + kPeterLine,
          good.substr(0, good.size() - 1),
          "\x01" + good,
          "\xff" + good,
          "\xc0\x80" + good,
          good + "Unexpected line.\n",
          good + "\n",
          good + kPeterLine,
          kText + "\r\n" + kPeterLine,
          kText + "\n" + kPeterLine.substr(0, kPeterLine.size() - 1) + "\r\n",
          kText + "\n" + name + "\n",
          kText + "\n" + name + "AAAAAA==\n",
          kText + "\n" + name + "AAAAAAB=\n",
          kText + "\n" + name + " AAAAAAA=\n",
          kText + "\n" + name + "AAAAAAA\n",
          kText + "\n" + name + "AAAAAA-_\n",
          kText + "\n" + name + "AAAA AAA=\n",
          kText + "\n— Bad Name AAAAAAA=\n",
          kText + "\n—PeterNeumann AAAAAAA=\n",
          kText + "\n- PeterNeumann AAAAAAA=\n",
          kText + "\n—  AAAAAAA=\n"}) {
        EXPECT_FALSE(ParseNote(note).has_value()) << note;
    }
    EXPECT_TRUE(ParseNote(kText + "\n" + name + "AAAAAAA=\n").has_value());
}

TEST(ParseNote, HasLimits) {
    std::string note = kText + "\n";
    for (std::size_t i = 0; i < kMaxNoteSignatures; ++i) {
        note += "— witness" + std::to_string(i) + " AAAAAAA=\n";
    }
    EXPECT_TRUE(ParseNote(note).has_value());
    EXPECT_FALSE(ParseNote(note + kPeterLine).has_value());
    const std::string rest = "\n\n" + kPeterLine;
    EXPECT_TRUE(ParseNote(std::string(kMaxNoteSize - rest.size(), 'x') + rest).has_value());
    EXPECT_FALSE(ParseNote(std::string(kMaxNoteSize - rest.size() + 1, 'x') + rest).has_value());
}

TEST(Base64, AnswersAsPublished) {
    // RFC 4648, section 10.
    const char* const kPairs[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : kPairs) {
        EXPECT_EQ(Base64(AsBytes(bytes)), text);
        EXPECT_EQ(FromBase64(text), ToBytes(bytes));
    }
    for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n",
                             " Zm9v", "Zm9v====", "Zg==Zg==", "Zm_v", "Zm9vY", "=Zg=", "Zm 8"}) {
        EXPECT_FALSE(FromBase64(text).has_value()) << text;
    }
}

TEST(Utf8, TakesEveryCharacterInItsShortestForm) {
    std::size_t characters = 0;
    for (char32_t c = 0; c <= 0x110000; ++c) {
        // As wide as each form allows.
        const auto tail = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
        std::string text;
        if (c < 0x80) {
            text = {static_cast<char>(c)};
        } else if (c < 0x800) {
            text = {static_cast<char>(0xc0 | c >> 6), tail(c)};
        } else if (c < 0x10000) {
            text = {static_cast<char>(0xe0 | c >> 12), tail(c >> 6), tail(c)};
        } else {
            text = {static_cast<char>(0xf0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
        }
        std::string_view rest = text;
        const auto taken = TakeCodePoint(rest);
        const bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        ASSERT_EQ(taken.has_value(), valid) << std::uint32_t{c};
        if (!valid) continue;
        ASSERT_EQ(*taken, c);
        ASSERT_TRUE(rest.empty());
        ++characters;
    }
    EXPECT_EQ(characters, 0x110000U - 0x800U);
    for (const char* text :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc2", "\xe2\x80",
          "\xf0\x9f\x94", "\xc2\x41", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"}) {
        EXPECT_FALSE(EachCodePoint(text, [](char32_t) { return true; })) << text;
    }
}

}  // namespace
}  // namespace rampart::audit
