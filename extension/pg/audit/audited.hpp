// What the trigger has to know about a table, read once a session and after changes: which columns
// are recorded, which hidden, which make the key.
#pragma once

#include "pg/audit/json.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace rampart::pg::audit {

struct AuditedColumn {
    int index;  // in the row, from 0
    const char* name;
    std::size_t name_length;
    bool redacted;
    TypePlan* plan;
};

// A table, or a partition of one that is audited: then entries bear the root's name and OID.
struct Audited {
    Oid root;
    const char* relation;  // quoted, with its schema
    Jsonb* metadata;       // the partition's name, or nullptr
    int column_count;
    AuditedColumn* columns;
    int key_count;  // 0: no primary key and no other replica identity
    AuditedColumn* key;
};

// Valid until the next call. A table that rampart.audited_table does not list (its row was removed,
// or is not restored yet) is recorded whole.
const Audited& AuditedRelation(Relation relation);

void RegisterAuditedCallbacks();

}  // namespace rampart::pg::audit
