// The triggers of audited tables: an entry for each row that is inserted, updated or deleted, and
// for each TRUNCATE.
//
//   INSERT  new: all recorded columns
//   DELETE  old: all recorded columns
//   UPDATE  old and new: the columns that differ. None: no entry. Without a key, old has all
//   columns,
//           because nothing else says which row it was
//
// The key is the row's after the statement. Nothing here asks for a right or decrypts.
#include <cstring>

#include "error.hpp"
#include "pg/audit/audited.hpp"
#include "pg/audit/log.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "commands/trigger.h"
#include "executor/tuptable.h"
}

namespace rampart::pg::audit {
namespace {

constexpr char kRedacted[] = "[redacted]";

// An object under construction.
class Object {
  public:
    Object() { pushJsonbValue(&state_, WJB_BEGIN_OBJECT, nullptr); }

    void Add(const AuditedColumn& column, TupleTableSlot* row) {
        PushKey(&state_, column.name, column.name_length);
        if (column.redacted) {
            PushString(&state_, WJB_VALUE, kRedacted, sizeof kRedacted - 1);
        } else if (row->tts_isnull[column.index]) {
            PushNull(&state_, WJB_VALUE);
        } else {
            PushValue(&state_, WJB_VALUE, *column.plan, row->tts_values[column.index]);
        }
    }
    Jsonb* Finish() { return JsonbValueToJsonb(pushJsonbValue(&state_, WJB_END_OBJECT, nullptr)); }

  private:
    JsonbParseState* state_ = nullptr;
};

Jsonb* AllOf(const AuditedColumn* columns, int count, TupleTableSlot* row) {
    Object object;
    for (int i = 0; i < count; ++i) object.Add(columns[i], row);
    return object.Finish();
}

bool Differs(const AuditedColumn& column, TupleTableSlot* before, TupleTableSlot* after) {
    const int i = column.index;
    if (before->tts_isnull[i] || after->tts_isnull[i])
        return before->tts_isnull[i] != after->tts_isnull[i];
    return !SameValue(*column.plan, before->tts_values[i], after->tts_values[i]);
}

// Fills in what an UPDATE changed; whether it changed something.
bool Compare(const Audited& audited, TupleTableSlot* before, TupleTableSlot* after, Entry* entry) {
    Object old_values;
    Object new_values;
    bool any = false;
    for (int i = 0; i < audited.column_count; ++i) {
        const AuditedColumn& column = audited.columns[i];
        if (!Differs(column, before, after)) continue;
        any = true;
        old_values.Add(column, before);
        new_values.Add(column, after);
    }
    if (!any) return false;
    entry->old_values = audited.key_count > 0
                            ? old_values.Finish()
                            : AllOf(audited.columns, audited.column_count, before);
    entry->new_values = new_values.Finish();
    return true;
}

Entry EntryFor(const Audited& audited) {
    Entry entry{};
    entry.entry_class = Class::kNormal;
    entry.severity = "info";
    entry.role = GetUserId();
    entry.relation = audited.relation;
    entry.relation_id = audited.root;
    entry.metadata = audited.metadata;
    return entry;
}

void RecordRow(const TriggerData& trigger) {
    const Audited& audited = AuditedRelation(trigger.tg_relation);
    Entry entry = EntryFor(audited);
    TupleTableSlot* row = trigger.tg_trigslot;
    slot_getallattrs(row);
    if (TRIGGER_FIRED_BY_INSERT(trigger.tg_event)) {
        entry.event = "data.insert";
        entry.operation = "INSERT";
        entry.new_values = AllOf(audited.columns, audited.column_count, row);
    } else if (TRIGGER_FIRED_BY_DELETE(trigger.tg_event)) {
        entry.event = "data.delete";
        entry.operation = "DELETE";
        entry.old_values = AllOf(audited.columns, audited.column_count, row);
    } else {
        entry.event = "data.update";
        entry.operation = "UPDATE";
        TupleTableSlot* before = row;
        row = trigger.tg_newslot;
        slot_getallattrs(row);
        if (!Compare(audited, before, row, &entry)) return;
    }
    if (audited.key_count > 0) entry.key = AllOf(audited.key, audited.key_count, row);
    Write(entry);
}

void RecordTruncate(const TriggerData& trigger) {
    Entry entry = EntryFor(AuditedRelation(trigger.tg_relation));
    entry.event = "data.truncate";
    entry.operation = "TRUNCATE";
    entry.severity = "high";
    Write(entry);
}

const TriggerData& TriggerOf(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo)) throw Error(errc::kUnsupported, "this function is a trigger");
    return *reinterpret_cast<TriggerData*>(fcinfo->context);
}

}  // namespace
}  // namespace rampart::pg::audit

namespace audit = rampart::pg::audit;

RAMPART_FUNCTION(rampart_audit_row) {
    const TriggerData& trigger = audit::TriggerOf(fcinfo);
    if (!TRIGGER_FIRED_AFTER(trigger.tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger.tg_event))
        throw rampart::Error(rampart::errc::kUnsupported, "this trigger fires after each row");
    audit::RecordRow(trigger);
    return PointerGetDatum(nullptr);
}

RAMPART_FUNCTION(rampart_audit_truncate) {
    const TriggerData& trigger = audit::TriggerOf(fcinfo);
    if (!TRIGGER_FIRED_AFTER(trigger.tg_event) || !TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event))
        throw rampart::Error(rampart::errc::kUnsupported, "this trigger fires after TRUNCATE");
    audit::RecordTruncate(trigger);
    return PointerGetDatum(nullptr);
}
