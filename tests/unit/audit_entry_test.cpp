// The canonical bytes of entries.
#include <gtest/gtest.h>

#include <array>

#include "audit/entry.hpp"
#include "vectors.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;
using test::Hex;

constexpr std::array<std::uint8_t, kSaltSize> kSalt = {1, 2, 3};

constexpr EntryText Entry::*kTexts[] = {&Entry::event,        &Entry::log_class,   &Entry::severity,
                                        &Entry::actor,        &Entry::org,         &Entry::ip,
                                        &Entry::user_agent,   &Entry::request_id,  &Entry::role,
                                        &Entry::session_role, &Entry::application, &Entry::client,
                                        &Entry::relation,     &Entry::operation};
constexpr EntryText Payload::*kPayloadTexts[] = {&Payload::key, &Payload::old_values,
                                                 &Payload::new_values, &Payload::metadata};

TEST(Entry, IsWrittenByteByByte) {
    Entry entry{.id = 1, .at = -2, .xid = 3, .lineage = 4};
    entry.event = "a.b";
    entry.operation = "";
    // Tag; four integers; the event; twelve NULLs; an empty text; no payload.
    EXPECT_EQ(Hex(LeafBytes(entry)), Hex(AsBytes("rampart-audit-v1")) +
                                         "01"
                                         "0000000000000008"
                                         "0000000000000001"
                                         "01"
                                         "0000000000000008"
                                         "fffffffffffffffe"
                                         "01"
                                         "0000000000000008"
                                         "0000000000000003"
                                         "01"
                                         "0000000000000008"
                                         "0000000000000004"
                                         "01"
                                         "0000000000000003"
                                         "612e62"
                                         "000000000000000000000000"
                                         "01"
                                         "0000000000000000"
                                         "00");
    entry.payload_hash = Hash{};
    EXPECT_TRUE(Hex(LeafBytes(entry)).ends_with("0100000000000000200" + std::string(63, '0')));
}

TEST(Entry, HashesItsBytes) {
    const std::string large(100'000, 'x');
    Entry entry{.id = 7, .at = 8, .xid = 9};
    EXPECT_EQ(LeafHash(entry), LeafHash(LeafBytes(entry)));
    for (const auto member : kTexts) {
        entry.*member = large;
        EXPECT_EQ(LeafHash(entry), LeafHash(LeafBytes(entry)));
    }
}

TEST(Entry, DiffersByEveryField) {
    std::vector<Bytes> seen = {LeafBytes({})};
    const auto is_new = [&](const Entry& entry) {
        const Bytes bytes = LeafBytes(entry);
        for (const Bytes& other : seen) {
            if (other == bytes) return false;
        }
        seen.push_back(bytes);
        return true;
    };
    EXPECT_FALSE(is_new({}));
    EXPECT_TRUE(is_new({.id = 1}));
    EXPECT_TRUE(is_new({.at = 1}));
    EXPECT_TRUE(is_new({.xid = 1}));
    EXPECT_TRUE(is_new({.lineage = 1}));
    for (const auto member : kTexts) {
        for (const char* text : {"", "a", "ab"}) {
            Entry entry;
            entry.*member = text;
            EXPECT_TRUE(is_new(entry));
        }
    }
    Entry moved;
    moved.actor = "a";
    moved.org = "b";
    EXPECT_TRUE(is_new(moved));
    moved.actor = "ab";
    moved.org = "";
    EXPECT_TRUE(is_new(moved));
    Entry with_payload;
    with_payload.payload_hash = Hash{};
    EXPECT_TRUE(is_new(with_payload));
}

TEST(Payload, IsHashedWithItsSalt) {
    Payload payload;
    payload.key = R"({"id": 1})";
    payload.new_values = "";
    const Bytes bytes = test::FromHex(Hex(kSalt) +
                                      "01"
                                      "0000000000000009" +
                                      Hex(AsBytes(*payload.key)) +
                                      "00"
                                      "01"
                                      "0000000000000000"
                                      "00");
    EXPECT_EQ(HashPayload(kSalt, payload), Sha256(bytes));
    std::array<std::uint8_t, kSaltSize> salt = kSalt;
    salt[15] ^= 1;
    EXPECT_NE(HashPayload(salt, payload), HashPayload(kSalt, payload));
}

TEST(Payload, DiffersByEveryFieldAndIsNothingWithout) {
    EXPECT_FALSE(HashPayload(kSalt, {}).has_value());
    std::vector<Hash> seen;
    for (const auto member : kPayloadTexts) {
        for (const char* text : {"", "a"}) {
            Payload payload;
            payload.*member = text;
            EXPECT_FALSE(payload.Empty());
            const Hash hash = HashPayload(kSalt, payload).value();
            for (const Hash& other : seen) EXPECT_NE(hash, other);
            seen.push_back(hash);
        }
    }
}

TEST(Payload, CanBeErased) {
    Payload payload;
    payload.old_values = R"({"name": "Ada"})";
    Entry entry{.id = 1, .at = 2, .xid = 3};
    entry.payload_hash = HashPayload(kSalt, payload);
    const Hash leaf = LeafHash(entry);
    const Hash kept = *entry.payload_hash;  // all that remains
    Entry erased{.id = 1, .at = 2, .xid = 3};
    erased.payload_hash = kept;
    EXPECT_EQ(LeafHash(erased), leaf);
    erased.payload_hash = std::nullopt;  // "there never was one"
    EXPECT_NE(LeafHash(erased), leaf);
}

}  // namespace
}  // namespace rampart::audit
