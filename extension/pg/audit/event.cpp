// Entries that no row trigger makes: what Rampart's own SQL records, and what applications log.
#include "error.hpp"
#include "pg/audit/event_type.hpp"
#include "pg/audit/log.hpp"
#include "pg/audit/queue.hpp"
#include "pg/audit/queued_event.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::audit {
namespace {

constexpr std::size_t kMaxPayload = 65536;

char* TextOrNull(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

Jsonb* JsonOrNull(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : PG_GETARG_JSONB_P(number);
}

// Name and severity from the first two arguments, what is missing from the type. In the name of the
// role that the session acts as: what calls this is SECURITY DEFINER.
Entry EntryFor(FunctionCallInfo fcinfo, bool* enabled) {
    if (PG_ARGISNULL(0)) throw Error(errc::kInvalidParameter, "an event needs a name");
    Entry entry{};
    entry.event = TextOrNull(fcinfo, 0);
    const EventType type = RequireEventType(entry.event);
    *enabled = type.enabled;
    entry.entry_class = type.entry_class;
    const char* severity = PG_ARGISNULL(1) ? pstrdup(type.severity) : TextOrNull(fcinfo, 1);
    entry.severity = asc_tolower(severity, strlen(severity));
    RequireSeverity(entry.severity);
    entry.role = GetOuterUserId();
    return entry;
}

// (event, severity, relation name, relation OID, operation, metadata)
void WriteEvent(FunctionCallInfo fcinfo) {
    PreventCommandIfReadOnly("an audit event");
    bool enabled = false;
    Entry entry = EntryFor(fcinfo, &enabled);
    entry.relation = TextOrNull(fcinfo, 2);
    entry.relation_id = PG_ARGISNULL(3) ? InvalidOid : PG_GETARG_OID(3);
    entry.operation = TextOrNull(fcinfo, 4);
    entry.metadata = JsonOrNull(fcinfo, 5);
    if (enabled) Write(entry);
}

const char* NameOfRelation(Oid relation) {
    const char* name = get_rel_name(relation);
    if (name == nullptr) throw Error(errc::kUndefinedTable, "the relation does not exist");
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

// As text, in which a number may be far longer than it is stored.
char* PayloadText(Jsonb* json, std::size_t* room) {
    if (json == nullptr) return nullptr;
    const std::size_t stored = VARSIZE(json);
    char* text =
        stored > *room ? nullptr : JsonbToCString(nullptr, &json->root, static_cast<int>(stored));
    const std::size_t length = text == nullptr ? stored : strlen(text);
    if (length > *room)
        throw Error(errc::kLimitExceeded,
                    "metadata and key of an event have at most 64 kB together");
    *room -= length;
    return text;
}

void EnqueueEntry(const Entry& entry, const char* key, const char* metadata) {
    QueuedEvent event{};
    event.relation_id = entry.relation_id;
    event.fields[kFieldEvent] = entry.event;
    event.fields[kFieldSeverity] = entry.severity;
    event.fields[kFieldRelation] = entry.relation;
    event.fields[kFieldKey] = key;
    event.fields[kFieldMetadata] = metadata;
    DescribeSession(&event);
    queue::SetPresent(true);
    if (!Enqueue(event, queue::From::kApplication))
        Warn(errc::kLimitExceeded, "the event was lost: the queue of security events is full",
             "The log will say how many were lost. See rampart.audit_queue_size.");
}

void WarnOfNoQueue() {
    static bool warned = false;
    if (warned) return;
    warned = true;
    Warn(errc::kUnsupported, "events of this session are rolled back with their transactions",
         "shared_preload_libraries = 'rampart' lets them survive.");
}

// (event, severity, metadata, transactional, key, relation)
void LogEvent(FunctionCallInfo fcinfo) {
    bool enabled = false;
    Entry entry = EntryFor(fcinfo, &enabled);
    bool transactional = PG_ARGISNULL(3) ? entry.entry_class == Class::kNormal : PG_GETARG_BOOL(3);
    entry.metadata = JsonOrNull(fcinfo, 2);
    entry.key = JsonOrNull(fcinfo, 4);
    if (!PG_ARGISNULL(5)) {
        entry.relation_id = PG_GETARG_OID(5);
        entry.relation = NameOfRelation(entry.relation_id);
    }
    std::size_t room = kMaxPayload;
    const char* key = PayloadText(entry.key, &room);
    const char* metadata = PayloadText(entry.metadata, &room);
    if (!enabled) return;
    if (!transactional && !queue::Shared()) {
        WarnOfNoQueue();
        transactional = true;
    }
    if (!transactional) return EnqueueEntry(entry, key, metadata);
    PreventCommandIfReadOnly("an event in the transaction");
    Write(entry);
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_write_event) {
    rampart::pg::audit::WriteEvent(fcinfo);
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_log_event) {
    rampart::pg::audit::LogEvent(fcinfo);
    PG_RETURN_VOID();
}
