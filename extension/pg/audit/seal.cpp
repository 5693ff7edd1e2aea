// What rampart.seal() of sql/rampart/75_audit_seal.sql is made of: which transactions have ended,
// and a run of their entries appended to the tree of its class.
#include <algorithm>
#include <array>

#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/audit/run.hpp"
#include "pg/audit/tiles.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"
}

namespace rampart::pg::audit {
namespace {

namespace core = rampart::audit;

// As pg_current_snapshot() does: a snapshot's ids are of the last two billion.
std::uint64_t Widen(TransactionId xid, FullTransactionId next) {
    std::uint64_t epoch = EpochFromFullTransactionId(next);
    if (xid > XidFromFullTransactionId(next)) --epoch;
    return epoch << 32 | xid;
}

// This transaction is open too, which a snapshot leaves out: what it writes from here on must not
// be passed over.
ArrayType* OpenTransactions(Snapshot snapshot, FullTransactionId next) {
    const auto room = static_cast<std::size_t>(snapshot->xcnt) + 1;
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * room));
    int count = 0;
    for (std::uint32_t i = 0; i < snapshot->xcnt; ++i)
        values[count++] = UInt64GetDatum(Widen(snapshot->xip[i], next));
    const FullTransactionId own = GetTopFullTransactionIdIfAny();
    if (FullTransactionIdIsValid(own) &&
        U64FromFullTransactionId(own) < Widen(snapshot->xmax, next))
        values[count++] = UInt64GetDatum(U64FromFullTransactionId(own));
    return construct_array(values, count, XID8OID, sizeof(std::uint64_t), FLOAT8PASSBYVAL,
                           TYPALIGN_DOUBLE);
}

// () -> (next xid8, open xid8[], system int8, timeline int4)
Datum EndedTransactions(FunctionCallInfo fcinfo) {
    PreventCommandDuringRecovery("rampart.seal()");
    const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    const FullTransactionId next = ReadNextFullTransactionId();
    Datum values[] = {UInt64GetDatum(Widen(snapshot->xmax, next)),
                      PointerGetDatum(OpenTransactions(snapshot, next)),
                      Int64GetDatum(static_cast<std::int64_t>(GetSystemIdentifier())),
                      Int32GetDatum(static_cast<std::int32_t>(GetWALInsertionTimeLine()))};
    bool nulls[] = {false, false, false, false};
    UnregisterSnapshot(snapshot);
    return functions::Record(fcinfo, values, nulls);
}

// As many entries as a run has at most: what a proof or an export looks through for one of them.
constexpr std::int64_t kMaxRun = 65'536;
static_assert(kMaxRun % RunScan::kBatch == 0);

struct Appended {
    std::int64_t entries = 0;
    std::int64_t least_id = INT64_MAX;
    std::int64_t greatest_id = INT64_MIN;
    Position last{};
    bool cut = false;

    void Count(const Position& position) {
        ++entries;
        least_id = std::min(least_id, position.id);
        greatest_id = std::max(greatest_id, position.id);
        last = position;
    }
};

Appended Append(const char* log_class, std::uint64_t size, const Run& run) {
    StoredTiles tiles(log_class);
    auto builder = core::TileBuilder::Resume(tiles, size);
    if (!builder)
        throw Error(errc::kNotSealable, "the stored tree of the audit log is not complete", "",
                    "A restore may not be finished. Otherwise: rampart.verify_audit().");
    std::array<Leaf, RunScan::kBatch> leaves;
    RunScan scan;
    Appended appended;
    Call([&] {
        scan.Begin(run);
        return true;
    });
    int count = RunScan::kBatch;
    while (count == RunScan::kBatch && !appended.cut) {
        count = Call([&] { return scan.Next(leaves.data()); });
        for (int i = 0; i < count; ++i) {
            builder->Append(leaves[i].hash, tiles);
            appended.Count(leaves[i].position);
        }
        appended.cut = appended.entries == kMaxRun;
    }
    Call([&] {
        scan.End();
        return true;
    });
    builder->Flush(tiles);
    tiles.Finish();
    return appended;
}

// (class text, size int8, a run) -> (entries int8, least_id int8, greatest_id int8, next_xid xid8,
// next_id int8), the last two NULL unless the run was cut.
Datum AppendRun(FunctionCallInfo fcinfo) {
    const char* log_class = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const Run run = RunArgument(fcinfo, 2);
    const Appended appended =
        Append(log_class, static_cast<std::uint64_t>(PG_GETARG_INT64(1)), run);
    Datum values[] = {Int64GetDatum(appended.entries), Int64GetDatum(appended.least_id),
                      Int64GetDatum(appended.greatest_id), UInt64GetDatum(appended.last.xid),
                      Int64GetDatum(appended.last.id + 1)};
    bool nulls[] = {false, false, false, !appended.cut, !appended.cut};
    return functions::Record(fcinfo, values, nulls);
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_ended_transactions) {
    return rampart::pg::audit::EndedTransactions(fcinfo);
}
RAMPART_FUNCTION(rampart_append_run) { return rampart::pg::audit::AppendRun(fcinfo); }
