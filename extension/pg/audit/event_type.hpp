// Types of events: rows of rampart.audit_event_type, by name.
#pragma once

#include "pg/audit/log.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::audit {

struct EventType {
    Class entry_class;
    char severity[16];
    bool enabled;
};

// False: there is none of that name. Needs no right on the table. REQUIRES: inside a transaction.
bool FindEventType(const char* name, EventType* type);

// Error RMA08 for one that is not defined.
EventType RequireEventType(const char* name);

// Error 22023 for a text that is none.
void RequireSeverity(const char* severity);

}  // namespace rampart::pg::audit
