// The canonical bytes of an audit entry, of which the hash of its leaf is made.
//
// A leaf is the tag "rampart-audit-v1" and 19 fields in a fixed order: the header, then the hash of
// the payload. A field is 00 for NULL, else 01, 8 bytes length and the bytes; integers are
// big-endian. So no two entries have the same bytes, and a missing value differs from an empty one.
//
// The payload (key, old and new values, metadata) stands in the leaf as a salted hash, so that it
// can be erased, salt included, without touching the proofs: what is kept of it is the hash, which
// says nothing about values without the salt. NULL in its place says that there never was a
// payload.
//
// Text is in UTF-8, jsonb as PostgreSQL prints it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "audit/merkle.hpp"

namespace rampart::audit {

using EntryText = std::optional<std::string_view>;

// The fields in the order of the leaf. Views: the strings are the caller's.
struct Entry {
    std::int64_t id = 0;
    std::int64_t at = 0;        // microseconds since 2000-01-01 00:00 UTC
    std::uint64_t xid = 0;      // with its epoch: xid8 in SQL
    std::uint64_t lineage = 0;  // of the database whose xids these are
    EntryText event = {};
    EntryText log_class = {};
    EntryText severity = {};
    EntryText actor = {};
    EntryText org = {};
    EntryText ip = {};
    EntryText user_agent = {};
    EntryText request_id = {};
    EntryText role = {};  // current_user
    EntryText session_role = {};
    EntryText application = {};
    EntryText client = {};    // address
    EntryText relation = {};  // schema-qualified
    EntryText operation = {};
    std::optional<Hash> payload_hash = {};  // HashPayload, or what is left of an erased payload
};

struct Payload {
    EntryText key;
    EntryText old_values;
    EntryText new_values;
    EntryText metadata;

    bool Empty() const { return !key && !old_values && !new_values && !metadata; }
};

// Random, one for each entry that has a payload.
inline constexpr std::size_t kSaltSize = 16;
using Salt = std::span<const std::uint8_t, kSaltSize>;

// SHA-256(salt || the four fields). Nothing for an empty payload, which needs no salt.
std::optional<Hash> HashPayload(Salt salt, const Payload& payload);

std::vector<std::uint8_t> LeafBytes(const Entry& entry);

// LeafHash(LeafBytes(entry)) without the bytes; allocates nothing.
Hash LeafHash(const Entry& entry);

}  // namespace rampart::audit
