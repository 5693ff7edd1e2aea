// From the queue into the log: SQL functions that sql/rampart/78_audit_queue.sql calls with the
// row of rampart.audit_drained, and stores what they answer.
#include "error.hpp"
#include "pg/audit/event_type.hpp"
#include "pg/audit/log.hpp"
#include "pg/audit/queue.hpp"
#include "pg/audit/queued_event.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
}

namespace rampart::pg::audit {
namespace {

constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr std::int64_t kMaxTimeout = 3'600'000;

// What one event takes is given back before the next.
void WriteBatch(const queue::Batch& batch, const std::uint8_t* bytes) {
    const MemoryContext each =
        AllocSetContextCreate(CurrentMemoryContext, "rampart event", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(each);
    for (int i = 0; i < batch.count; ++i) {
        QueuedEvent event{};
        if (!Decode(queue::Next(bytes), &event))
            throw Error(errc::kInternal, "the queue has a record that is no event");
        WriteQueued(event);
        MemoryContextReset(each);
        CHECK_FOR_INTERRUPTS();
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(each);
}

void WriteOverflow(std::int64_t lost) {
    const EventType type = RequireEventType("audit.queue_overflow");
    Entry entry{};
    entry.event = "audit.queue_overflow";
    entry.entry_class = type.entry_class;
    entry.severity = type.severity;
    entry.role = GetOuterUserId();
    entry.metadata = DatumGetJsonbP(DirectFunctionCall1(
        jsonb_in, CStringGetDatum(psprintf("{\"lost\": %lld}", static_cast<long long>(lost)))));
    Write(entry);
}

// (queue, sequence, lost) as stored -> the same as they are to be stored, and how many entries were
// written.
Datum WriteQueuedEvents(FunctionCallInfo fcinfo) {
    TupleDesc descriptor = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        throw Error(errc::kInternal, "write_queued_events returns a row");
    queue::Progress progress{PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_INT64(2)};
    std::int64_t written = 0;
    if (queue::Shared()) {
        progress = queue::Confirm(progress);
        auto* bytes = static_cast<std::uint8_t*>(palloc(kBatchBytes));
        const queue::Batch batch = queue::Copy(progress.sequence, bytes, kBatchBytes);
        WriteBatch(batch, bytes);
        written = batch.count;
        progress.sequence = batch.last;
        if (batch.lost > progress.lost) {
            WriteOverflow(batch.lost - progress.lost);
            progress.lost = batch.lost;
            ++written;
        }
        pfree(bytes);
    }
    Datum values[] = {Int64GetDatum(progress.queue), Int64GetDatum(progress.sequence),
                      Int64GetDatum(progress.lost), Int64GetDatum(written)};
    bool nulls[] = {false, false, false, false};
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

}  // namespace
}  // namespace rampart::pg::audit

namespace audit = rampart::pg::audit;

RAMPART_FUNCTION(rampart_write_queued_events) { return audit::WriteQueuedEvents(fcinfo); }

RAMPART_FUNCTION(rampart_flush_events) {
    const std::int64_t timeout = PG_GETARG_INT32(0);
    if (timeout < 0 || timeout > audit::kMaxTimeout)
        throw rampart::Error(rampart::errc::kInvalidParameter,
                             "the timeout is from 0 to 3600000 milliseconds");
    PG_RETURN_BOOL(!audit::queue::Shared() || audit::queue::LastPut() == 0 ||
                   audit::queue::WaitFor(audit::queue::LastPut(), timeout));
}
