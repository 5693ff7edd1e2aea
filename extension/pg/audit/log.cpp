// A partition is found by the server's tuple routing, once a month and class, and remembered until
// it changes. The executor would open every partition's index anew for each statement; and the
// entry is not a statement of the user's.
#include <array>

#include "pg/audit/log.hpp"

#include "audit/entry.hpp"
#include "crypto/random.hpp"
#include "error.hpp"
#include "pg/audit/columns.hpp"
#include "pg/audit/context.hpp"
#include "pg/audit/counter.hpp"
#include "pg/audit/month.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_namespace.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace rampart::pg::audit {
namespace {

constexpr const char* kClassNames[] = {"normal", "security"};

// Where entries of a class and a span of time go.
struct Target {
    Oid leaf;
    Month month;
};

struct Places {
    bool valid;
    Oid log;
    Oid sequence;
    std::int64_t lineage;
    std::array<Oid, 2> parents;  // of the months
    std::array<Target, 2> targets;
};
Places places{};

struct RoleName {
    Oid role;
    NameData name;
};
std::array<RoleName, 2> role_names{};
bool warned = false;

void OnRelationChange(Datum, Oid relation) {
    bool ours = relation == InvalidOid || relation == places.log;
    for (std::size_t i = 0; i < places.targets.size(); ++i)
        ours |= relation == places.targets[i].leaf || relation == places.parents[i];
    if (ours) places.valid = false;
}

void OnRoleChange(Datum, int, uint32) { role_names = {}; }

// Of rampart.audit_here.
std::int64_t ReadLineage(Oid schema) {
    const Relation table = table_open(get_relname_relid("audit_here", schema), AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
    const HeapTuple row = systable_getnext(scan);
    if (!HeapTupleIsValid(row)) throw Error(errc::kInternal, "rampart.audit_here is empty");
    bool null = false;
    const std::int64_t lineage =
        DatumGetInt64(heap_getattr(row, 1, RelationGetDescr(table), &null));
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return lineage;
}

void FindPlaces() {
    const Oid schema = get_namespace_oid("rampart", false);
    Places found{};
    found.log = get_relname_relid("audit_log", schema);
    found.sequence = get_relname_relid("audit_log_id", schema);
    for (std::size_t i = 0; i < found.parents.size(); ++i)
        found.parents[i] = get_relname_relid(psprintf("audit_log_%s", kClassNames[i]), schema);
    if (!OidIsValid(found.log) || !OidIsValid(found.sequence))
        throw Error(errc::kInternal, "rampart.audit_log does not exist");
    found.lineage = ReadLineage(schema);
    found.valid = true;
    places = found;
}

Oid RouteToLeaf(TupleTableSlot* slot) {
    const Relation log = table_open(places.log, RowExclusiveLock);
    EState* state = CreateExecutorState();
    auto* entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = places.log;
    entry->relkind = RELKIND_PARTITIONED_TABLE;
    entry->rellockmode = RowExclusiveLock;
    ExecInitRangeTable(state, list_make1(entry));
    auto* root = makeNode(ResultRelInfo);
    InitResultRelInfo(root, log, 1, nullptr, 0);
    auto* modify = makeNode(ModifyTableState);
    modify->ps.state = state;
    modify->operation = CMD_INSERT;
    modify->resultRelInfo = root;
    PartitionTupleRouting* routing = ExecSetupPartitionTupleRouting(state, log);
    const ResultRelInfo* leaf = ExecFindPartition(modify, root, routing, slot, state);
    const Oid found = RelationGetRelid(leaf->ri_RelationDesc);
    ExecCleanupTupleRouting(modify, routing);
    ExecResetTupleTable(state->es_tupleTable, false);
    FreeExecutorState(state);
    table_close(log, NoLock);
    return found;
}

void WarnIfDefault(std::size_t index, Oid leaf) {
    if (warned || leaf != get_default_partition_oid(places.parents[index])) return;
    warned = true;
    ereport(WARNING, (errmsg("rampart.audit_log has no partition for this month"),
                      errdetail("The entry goes to the default partition."),
                      errhint("SELECT rampart.create_audit_partitions();")));
}

// Opened and locked. A partition that changed while we waited for its lock is looked for again.
Relation OpenLeaf(Class entry_class, TimestampTz at, TupleTableSlot* slot) {
    const auto index = static_cast<std::size_t>(entry_class);
    while (true) {
        if (!places.valid) FindPlaces();
        Target& target = places.targets[index];
        if (!OidIsValid(target.leaf) || !target.month.Has(at)) {
            const Target found{RouteToLeaf(slot), MonthOf(at)};
            WarnIfDefault(index, found.leaf);
            if (!places.valid) continue;
            target = found;
        }
        const Relation leaf = try_table_open(target.leaf, RowExclusiveLock);
        if (leaf != nullptr && places.valid) return leaf;
        if (leaf != nullptr) table_close(leaf, RowExclusiveLock);
        places.valid = false;
        CHECK_FOR_INTERRUPTS();
    }
}

Datum NameOf(Oid role, std::size_t place) {
    RoleName& known = role_names[place];
    if (known.role != role) {
        char* name = GetUserNameFromId(role, true);
        namestrcpy(&known.name, name != nullptr ? name : "");
        known.role = role;
    }
    return NameGetDatum(&known.name);
}

struct Values {
    Datum values[kColumns];
    bool nulls[kColumns];

    void Set(Column column, Datum value) {
        values[column] = value;
        nulls[column] = false;
    }
    void SetText(Column column, const char* text) {
        if (text != nullptr) Set(column, CStringGetTextDatum(text));
    }
    void SetJson(Column column, Jsonb* json) {
        if (json != nullptr) Set(column, JsonbPGetDatum(json));
    }
};

// NULL over a Unix socket and in background processes.
void SetClient(Values* row) {
    LOCAL_FCINFO(call, 0);
    FmgrInfo function{};
    if (MyProcPort == nullptr) return;
    InitFunctionCallInfoData(*call, &function, 0, InvalidOid, nullptr, nullptr);
    const Datum client = inet_client_addr(call);
    if (!call->isnull) row->Set(kClient, client);
}

// Without one, whoever has the hash of an erased payload could try values against it.
void SetSalt(Values* row) {
    if (row->nulls[kKey] && row->nulls[kOld] && row->nulls[kNew] && row->nulls[kMetadata]) return;
    auto* salt = static_cast<bytea*>(palloc(VARHDRSZ + rampart::audit::kSaltSize));
    SET_VARSIZE(salt, VARHDRSZ + rampart::audit::kSaltSize);
    RandomPool::Next({reinterpret_cast<std::uint8_t*>(VARDATA(salt)), rampart::audit::kSaltSize});
    row->Set(kSalt, PointerGetDatum(salt));
}

void Fill(Values* row, const Entry& entry) {
    const Context& context = CurrentContext();
    for (bool& null : row->nulls) null = true;
    row->Set(kAt, TimestampTzGetDatum(GetCurrentTimestamp()));
    row->Set(kXid, FullTransactionIdGetDatum(GetTopFullTransactionId()));
    row->Set(kLineage, Int64GetDatum(places.lineage));
    row->SetText(kEvent, entry.event);
    row->SetText(kClass, kClassNames[static_cast<int>(entry.entry_class)]);
    row->SetText(kSeverity, entry.severity);
    row->SetText(kActor, context.actor);
    row->SetText(kOrg, context.org);
    if (context.ip != Datum{0}) row->Set(kIp, context.ip);
    row->SetText(kUserAgent, context.user_agent);
    row->SetText(kRequestId, context.request_id);
    row->Set(kRole, NameOf(entry.role, 0));
    row->Set(kSessionRole, NameOf(GetSessionUserId(), 1));
    row->SetText(kApplication, application_name);
    SetClient(row);
    row->SetText(kRelation, entry.relation);
    if (OidIsValid(entry.relation_id)) row->Set(kRelationId, ObjectIdGetDatum(entry.relation_id));
    row->SetText(kOperation, entry.operation);
    row->SetJson(kKey, entry.key);
    row->SetJson(kOld, entry.old_values);
    row->SetJson(kNew, entry.new_values);
    row->SetJson(kMetadata, entry.metadata);
    SetSalt(row);
}

TupleTableSlot* SlotOf(TupleDesc descriptor, const Values& row) {
    if (descriptor->natts != kColumns)
        throw Error(errc::kInternal,
                    "rampart.audit_log has other columns than the library expects");
    TupleTableSlot* slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
    for (int i = 0; i < kColumns; ++i) {
        slot->tts_values[i] = row.values[i];
        slot->tts_isnull[i] = row.nulls[i];
    }
    return ExecStoreVirtualTuple(slot);
}

void Insert(Relation leaf, TupleTableSlot* slot) {
    EState* state = CreateExecutorState();
    auto* result = makeNode(ResultRelInfo);
    InitResultRelInfo(result, leaf, 0, nullptr, 0);
    ExecOpenIndices(result, false);
    table_tuple_insert(leaf, slot, GetCurrentCommandId(true), 0, nullptr);
    if (result->ri_NumIndices > 0)
        list_free(ExecInsertIndexTuples(result, slot, state, false, false, nullptr, NIL));
    ExecCloseIndices(result);
    FreeExecutorState(state);
}

}  // namespace

void Write(const Entry& entry) {
    Values row;
    if (!places.valid) FindPlaces();
    Fill(&row, entry);
    row.Set(kId, Int64GetDatum(NextNumber(places.sequence)));
    const Relation log = table_open(places.log, RowExclusiveLock);
    TupleTableSlot* slot = SlotOf(RelationGetDescr(log), row);
    const Relation leaf = OpenLeaf(entry.entry_class, DatumGetTimestampTz(row.values[kAt]), slot);
    Insert(leaf, slot);
    ExecDropSingleTupleTableSlot(slot);
    table_close(leaf, NoLock);
    table_close(log, NoLock);
}

void RegisterLogCallbacks() {
    CacheRegisterRelcacheCallback(OnRelationChange, Datum{0});
    CacheRegisterSyscacheCallback(AUTHOID, OnRoleChange, Datum{0});
}

}  // namespace rampart::pg::audit
