#include <string>

#include "pg/audit/event_type.hpp"

#include "error.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg::audit {
namespace {

// As sql/rampart/74_audit_events.sql declares them.
constexpr AttrNumber kName = 1;
constexpr AttrNumber kClass = 2;
constexpr AttrNumber kSeverity = 3;
constexpr AttrNumber kEnabled = 12;

constexpr const char* kSeverities[] = {"info", "low", "medium", "high", "critical"};

Datum Column(HeapTuple row, AttrNumber number, TupleDesc descriptor) {
    bool null = false;
    const Datum value = heap_getattr(row, number, descriptor, &null);
    if (null) throw Error(errc::kInternal, "rampart.audit_event_type has a NULL");
    return value;
}

EventType FromRow(HeapTuple row, TupleDesc descriptor) {
    EventType type{};
    const char* name = TextDatumGetCString(Column(row, kClass, descriptor));
    type.entry_class = strcmp(name, "normal") == 0 ? Class::kNormal : Class::kSecurity;
    strlcpy(type.severity, TextDatumGetCString(Column(row, kSeverity, descriptor)),
            sizeof type.severity);
    type.enabled = DatumGetBool(Column(row, kEnabled, descriptor));
    return type;
}

}  // namespace

bool FindEventType(const char* name, EventType* type) {
    const Oid schema = get_namespace_oid("rampart", false);
    const Oid table = get_relname_relid("audit_event_type", schema);
    const Oid index = get_relname_relid("audit_event_type_pkey", schema);
    if (!OidIsValid(table) || !OidIsValid(index))
        throw Error(errc::kInternal, "rampart.audit_event_type does not exist");
    const Relation relation = table_open(table, AccessShareLock);
    const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    ScanKeyData key;
    ScanKeyInit(&key, kName, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
    key.sk_collation = DEFAULT_COLLATION_OID;
    const SysScanDesc scan = systable_beginscan(relation, index, true, snapshot, 1, &key);
    const HeapTuple row = systable_getnext(scan);
    const bool found = HeapTupleIsValid(row);
    if (found) *type = FromRow(row, RelationGetDescr(relation));
    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(relation, AccessShareLock);
    return found;
}

EventType RequireEventType(const char* name) {
    EventType type;
    if (!FindEventType(name, &type))
        throw Error(errc::kUnknownEvent, std::string("event \"") + name + "\" is not defined", {},
                    "rampart.define_event defines your own; TABLE rampart.audit_event_type lists "
                    "what there is.");
    return type;
}

void RequireSeverity(const char* severity) {
    for (const char* known : kSeverities) {
        if (strcmp(severity, known) == 0) return;
    }
    throw Error(errc::kInvalidParameter, "a severity is info, low, medium, high or critical");
}

}  // namespace rampart::pg::audit
