// Names of the extension's objects turned into OIDs, kept until something about them changes.
#pragma once

#include <array>

#include "ciphertext.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg {

// An operator that compares for equality and has an encrypted value on at least one side.
struct EqualityOperator {
    Oid op;
    Kind kind;
    bool negated;
};

struct KindOids {
    Oid type;
    Oid array_type;
    Oid to_plain;         // (enc) -> plain
    Oid reveal;           // the same for results, volatile
    Oid coerce;           // (enc, int4, bool) -> enc: the length coercion
    Oid from_plain;       // (plain, int4, bool) -> enc
    Oid comparand;        // (enc, int4) -> enc
    Oid comparand_plain;  // (plain, int4) -> enc
    Oid veil;             // (enc) -> enc
    Oid equal;            // = (enc, enc)
    Oid not_equal;        // <> (enc, enc)
    Oid equal_each;       // equality that is never hashed
    Oid sort_less;        // the operator class's ordering, which means nothing to a user
    Oid sort_greater;
};

struct Catalog {
    static constexpr int kMaxEqualityOperators = 100;

    bool present;  // the extension is installed in this database
    Oid schema;
    Oid scope_table;
    Oid key_table;
    Oid grant_table;
    std::array<KindOids, kMaxKind> kinds;
    int equality_count;
    std::array<EqualityOperator, kMaxEqualityOperators> equality;  // sorted by op

    const KindOids& of(Kind kind) const { return kinds[static_cast<std::uint8_t>(kind) - 1]; }
    // The kind of an encrypted type, or nullptr.
    const KindOids* FindType(Oid type) const;
    // The same, also for the array of an encrypted type.
    const KindOids* FindElementType(Oid type) const;
    const EqualityOperator* FindEquality(Oid op) const;
    Kind KindOf(const KindOids& oids) const { return static_cast<Kind>(&oids - kinds.data() + 1); }

    // REQUIRES: inside a transaction.
    static const Catalog& Current();
    // As last read; for callbacks, which may not read.
    static const Catalog& Peek();
    static void RegisterCallbacks();
    // Counts the times the OIDs were read; whoever derives from them compares.
    static std::uint64_t generation();
};

}  // namespace rampart::pg
