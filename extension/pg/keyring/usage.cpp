// Values that were taken from UsageTable are in `claims` until their transaction ends. A rollback,
// be it to a savepoint, gives them back: encrypted is encrypted, whatever becomes of the rows.
#include <vector>

#include "pg/keyring/usage.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/usage_table.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "replication/walsender.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::keyring {
namespace {

struct Claim {
    KeyUsage usage;
    SubTransactionId subtransaction;
};
std::vector<Claim> claims;
bool noted = false;  // by this process, since it last wrote
TimestampTz retry_at = 0;
constexpr int kRetryAfterMs = 60'000;

// Columns as sql/rampart/34_key_life.sql declares them.
enum UsageColumn : AttrNumber { kUsageKeyId = 1, kUsageAmount = 2 };

std::int64_t StoredUsage(std::uint64_t key_id) {
    const Oid table = get_relname_relid("key_usage", get_namespace_oid("rampart", true));
    if (!OidIsValid(table)) return 0;
    std::int64_t stored = 0;
    ScanKeyData wanted;
    ScanKeyInit(&wanted, kUsageKeyId, BTEqualStrategyNumber, F_INT8EQ,
                Int64GetDatum(static_cast<std::int64_t>(key_id)));
    Relation relation = table_open(table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 1, &wanted);
    while (HeapTuple tuple = systable_getnext(scan)) {
        bool null = false;
        stored +=
            DatumGetInt64(heap_getattr(tuple, kUsageAmount, RelationGetDescr(relation), &null));
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return stored;
}

// By the system cache and not by name resolution: the user may lack the right to the schema. The
// extension's own, and not what somebody put in its place after DROP EXTENSION: whoever commits
// next would run it.
Oid CountFunction() {
    const Oid extension = get_extension_oid("rampart", true);
    const Oid schema = get_namespace_oid("rampart", true);
    if (!OidIsValid(extension) || !OidIsValid(schema)) return InvalidOid;
    const Oid types[] = {INT8OID, INT8OID, BOOLOID};
    const Oid function =
        GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("count_usage"),
                        PointerGetDatum(buildoidvector(types, 3)), ObjectIdGetDatum(schema));
    const bool ours =
        OidIsValid(function) && getExtensionOfObject(ProcedureRelationId, function) == extension;
    return ours ? function : InvalidOid;
}

// Runs as the extension's owner (SECURITY DEFINER) and raises nothing but cancellation. Summing up
// what others wrote would give serializable transactions conflicts they know nothing of.
bool Store(Oid function, const KeyUsage& usage) {
    const Datum key_id = Int64GetDatum(static_cast<std::int64_t>(usage.key_id));
    return DatumGetBool(OidFunctionCall3(function, key_id, Int64GetDatum(usage.pending),
                                         BoolGetDatum(!IsolationIsSerializable())));
}

void GiveBack(std::size_t index) {
    UsageTable::GiveBack(claims[index].usage);
    claims.erase(claims.begin() + static_cast<std::ptrdiff_t>(index));
}

template <typename Condition>
void GiveBackWhere(Condition&& condition) {
    for (std::size_t i = claims.size(); i-- > 0;) {
        if (condition(claims[i])) GiveBack(i);
    }
}

// VACUUM and CREATE INDEX CONCURRENTLY commit with snapshots that others do not respect.
bool MayWrite() {
    return (MyProc->statusFlags & (PROC_IN_VACUUM | PROC_IN_SAFE_IC)) == 0 &&
           (MyBackendType == B_BACKEND || MyBackendType == B_BG_WORKER) && !am_walsender &&
           !IsParallelWorker() && !RecoveryInProgress() && !XactReadOnly;
}

// A transaction that only read does not become a writing one for the sake of other sessions.
bool ShouldWrite() {
    return UsageTable::AnyPending() && MayWrite() &&
           GetCurrentTransactionStartTimestamp() >= retry_at &&
           (noted || TransactionIdIsValid(GetTopTransactionIdIfAny()));
}

void WriteBeforeCommit() {
    if (!ShouldWrite()) return;
    PushActiveSnapshot(GetTransactionSnapshot());
    FlushUsage();
    PopActiveSnapshot();
}

// At PREPARE nothing is written: whether the rows would ever be committed is not known.
void OnTransactionEvent(XactEvent event, void*) {
    Guard([event] {
        if (event == XACT_EVENT_PRE_COMMIT) WriteBeforeCommit();
        if (event == XACT_EVENT_ABORT) GiveBackWhere([](const Claim&) { return true; });
        if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE) claims.clear();
    });
}

void OnSubtransactionEvent(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
                           void*) {
    if (claims.empty()) return;
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        GiveBackWhere([mine](const Claim& claim) { return claim.subtransaction == mine; });
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        for (Claim& claim : claims) {
            if (claim.subtransaction == mine) claim.subtransaction = parent;
        }
    }
}

}  // namespace

void NoteUsage(Key& key) {
    noted = true;
    KeyUsage usage =
        UsageTable::Add(key.id, std::int64_t{key.data->TakeSamples()} * DataKey::kValuesPerSample);
    if (!usage.complete) usage = UsageTable::Complete(key.id, StoredUsage(key.id));
    if (static_cast<double>(usage.total) >= settings::key_budget) ThrowExhausted(key);
}

std::int64_t FlushUsage() {
    const Oid function = CountFunction();
    const std::size_t before = claims.size();
    KeyUsage taken;
    for (;;) {
        claims.reserve(claims.size() + 1);
        if (!UsageTable::Take(&taken)) break;
        claims.push_back({taken, GetCurrentSubTransactionId()});
    }
    noted = false;
    // Without the extension nobody wants to know.
    if (!OidIsValid(function)) return 0;
    std::int64_t written = 0;
    for (std::size_t i = claims.size(); i-- > before;) {
        const KeyUsage usage = claims[i].usage;
        if (Store(function, usage)) {
            written += usage.pending;
        } else {
            GiveBack(i);
            retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kRetryAfterMs);
        }
    }
    return written;
}

void RegisterUsageCallbacks() {
    RegisterXactCallback(OnTransactionEvent, nullptr);
    RegisterSubXactCallback(OnSubtransactionEvent, nullptr);
}

}  // namespace rampart::pg::keyring
