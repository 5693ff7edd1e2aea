#include "ciphertext.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "keyring/data_key.hpp"
#include "vectors.hpp"

namespace rampart {
namespace {

using test::Bytes;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Bytes Minimal(Mode mode = Mode::kRandomised, Kind kind = Kind::kText) {
    Bytes bytes(kCiphertextOverhead);
    WriteHeader(mode, kind, 0x0123456789abcdef, bytes.data());
    return bytes;
}

TEST(Ciphertext, ParsesItsFields) {
    Bytes bytes = Minimal(Mode::kDeterministic, Kind::kUuid);
    bytes.insert(bytes.begin() + kBodyOffset, {1, 2, 3});
    const auto parsed = ParseCiphertext(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->mode, Mode::kDeterministic);
    EXPECT_EQ(parsed->kind, Kind::kUuid);
    EXPECT_EQ(parsed->key_id, 0x0123456789abcdefU);
    EXPECT_EQ(test::Hex(parsed->header), "12080123456789abcdef");
    EXPECT_EQ(parsed->iv, bytes.data() + 10);
    EXPECT_EQ(test::Hex(parsed->body), "010203");
    EXPECT_EQ(parsed->tag, bytes.data() + 25);
}

TEST(Ciphertext, RefusesWhatItIsNot) {
    for (unsigned first = 0; first < 256; ++first) {
        Bytes bytes = Minimal();
        bytes[0] = static_cast<std::uint8_t>(first);
        EXPECT_EQ(ParseCiphertext(bytes).has_value(), first == 0x11 || first == 0x12);
    }
    for (unsigned kind = 0; kind < 256; ++kind) {
        Bytes bytes = Minimal();
        bytes[1] = static_cast<std::uint8_t>(kind);
        EXPECT_EQ(ParseCiphertext(bytes).has_value(), kind >= 1 && kind <= 9);
    }
    const Bytes bytes = Minimal();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(ParseCiphertext(ByteView(bytes).first(size)).has_value());
    }
}

TEST(Ciphertext, NamesEveryKindAndMode) {
    std::set<std::string_view> names;
    for (std::uint8_t kind = 1; kind <= kMaxKind; ++kind) names.insert(KindName(Kind{kind}));
    EXPECT_EQ(names.size(), kMaxKind);
    EXPECT_EQ(KindName(Kind::kText), "text");
    EXPECT_EQ(KindName(Kind::kTimestamptz), "timestamptz");
    EXPECT_EQ(KindName(Kind::kBool), "bool");
    EXPECT_EQ(ModeName(Mode::kRandomised), "randomised");
    EXPECT_EQ(ModeName(Mode::kDeterministic), "deterministic");
}

TEST(Ciphertext, PrintsKeyIds) {
    EXPECT_EQ(KeyIdText(0), "0000000000000000");
    EXPECT_EQ(KeyIdText(0x0123456789abcdef), "0123456789abcdef");
    EXPECT_EQ(KeyIdText(~std::uint64_t{0}), "ffffffffffffffff");
}

TEST(Armour, EncodesAsPublished) {
    // RFC 4648, section 10, without padding.
    EXPECT_EQ(Armour({}), "rmp1:");
    EXPECT_EQ(Armour(AsBytes("f")), "rmp1:Zg");
    EXPECT_EQ(Armour(AsBytes("fo")), "rmp1:Zm8");
    EXPECT_EQ(Armour(AsBytes("foo")), "rmp1:Zm9v");
    EXPECT_EQ(Armour(AsBytes("foob")), "rmp1:Zm9vYg");
    EXPECT_EQ(Armour(AsBytes("fooba")), "rmp1:Zm9vYmE");
    EXPECT_EQ(Armour(AsBytes("foobar")), "rmp1:Zm9vYmFy");
    EXPECT_EQ(Armour(Bytes{0xff, 0xef, 0xfe}), "rmp1:_-_-");
}

TEST(Armour, RoundTripsEveryLength) {
    Bytes bytes;
    for (unsigned i = 0; i < 300; ++i) {
        const std::string text = Armour(bytes);
        EXPECT_TRUE(LooksLikeArmour(text));
        EXPECT_EQ(text.size(), ArmourSize(bytes.size()));
        EXPECT_EQ(DearmouredSize(text), bytes.size());
        EXPECT_EQ(Dearmour(text), bytes);
        bytes.push_back(static_cast<std::uint8_t>(i * 7));
    }
}

TEST(Armour, HasOneFormForEachValue) {
    // Every last character, after one to three others: what decodes must encode to the same text.
    for (const std::string_view start : {"rmp1:", "rmp1:A", "rmp1:AA", "rmp1:AAA"}) {
        int accepted = 0;
        for (unsigned c = 0; c < 256; ++c) {
            const std::string text = std::string(start) + static_cast<char>(c);
            const auto bytes = Dearmour(text);
            if (!bytes) continue;
            EXPECT_EQ(Armour(*bytes), text);
            ++accepted;
        }
        const int expected[] = {0, 4, 16, 64};
        EXPECT_EQ(accepted, expected[start.size() - kArmourPrefix.size()]);
    }
}

TEST(Armour, RefusesOtherText) {
    for (const char* text : {"", "rmp1", "rmp2:Zm9v", "RMP1:Zm9v", " rmp1:Zm9v", "rmp1:Zg==",
                             "rmp1:Zm9v\n", "rmp1:Zm 9", "rmp1:Zm+v", "rmp1:Zm/v", "rmp1:Z"}) {
        EXPECT_FALSE(Dearmour(std::string_view(text)).has_value()) << text;
    }
    EXPECT_FALSE(Dearmour(std::string_view("rmp1:Zm9\0", 9)).has_value());
}

// Text that resembles armour, from hardly to nearly: letters of the alphabet, any bytes, or a valid
// ciphertext with a few characters changed.
class ArmourSource {
  public:
    explicit ArmourSource(std::string valid) : valid_(std::move(valid)) {}

    std::string Next() {
        switch (Below(3)) {
            case 0:
                return Random(kAlphabet);
            case 1:
                return Random({});
            default:
                return Altered();
        }
    }

  private:
    std::size_t Below(std::size_t bound) { return random_() % bound; }
    char Character(std::string_view alphabet) {
        return alphabet.empty() ? static_cast<char>(Below(256)) : alphabet[Below(alphabet.size())];
    }
    std::string Random(std::string_view alphabet) {
        std::string text(kArmourPrefix);
        for (std::size_t left = Below(200); left > 0; --left) text += Character(alphabet);
        return text;
    }
    std::string Altered() {
        std::string text = valid_;
        for (std::size_t left = 1 + Below(3); left > 0; --left) {
            text[Below(text.size())] = Character(Below(4) == 0 ? "" : kAlphabet);
        }
        return text.substr(0, Below(8) == 0 ? Below(text.size()) : text.size());
    }

    std::mt19937 random_{20260101};  // NOLINT(cert-msc51-cpp): the same inputs in every run
    std::string valid_;
};

TEST(Armour, NothingRandomDecrypts) {
    DataKey key(0x0123456789abcdef, SecretKey(Bytes(32, 7)));
    const Bytes plaintext(40, 'p');
    Bytes sealed(kCiphertextOverhead + plaintext.size());
    key.SealRandomised(Kind::kText, {}, plaintext, sealed.data());
    ArmourSource source(Armour(sealed));
    int parsed_count = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string text = source.Next();
        const auto bytes = Dearmour(text);
        if (!bytes) continue;
        EXPECT_EQ(Armour(*bytes), text);
        const auto parsed = ParseCiphertext(*bytes);
        if (!parsed || *bytes == sealed) continue;
        Bytes out(parsed->body.size());
        EXPECT_FALSE(key.Open(*parsed, {}, out.data()));
        ++parsed_count;
    }
    // Or the test would not have reached decryption.
    EXPECT_GT(parsed_count, 1000);
}

}  // namespace
}  // namespace rampart
