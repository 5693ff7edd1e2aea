// Writes entries into rampart.audit_log: straight into the heap of the month's partition and its
// indexes, in the transaction that they tell of. Nobody needs a right on the log for that, and no
// rights are switched; who writes, when, from where and for whom is filled in here, but for events
// that come through the queue.
#pragma once

#include <cstdint>

#include "pg/audit/context.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace rampart::pg::audit {

enum class Class : std::uint8_t { kNormal, kSecurity };

// When, by whom and from where an event was that another session saw.
struct Origin {
    TimestampTz at;
    Context context;
    const char* role;
    const char* session_role;
    const char* application;  // may be nullptr
    Datum client;             // an inet; 0: none
};

struct Entry {
    const char* event;
    Class entry_class;
    const char* severity;
    Oid role;              // the database role in whose name it was done; unless `origin` says it
    const char* relation;  // with its schema, or nullptr
    Oid relation_id;
    const char* operation;  // or nullptr
    Jsonb* key;             // each may be nullptr
    Jsonb* old_values;
    Jsonb* new_values;
    Jsonb* metadata;
    const Origin* origin;  // nullptr: this session, now
};

// Errors: the server's own; nothing is left out silently.
void Write(const Entry& entry);

void RegisterLogCallbacks();

}  // namespace rampart::pg::audit
