// What nextval_internal in the server's commands/sequence.c does to the sequence's one page:
// numbers are logged ahead, so that most calls write no WAL; after a crash the logged ones are
// skipped.
#include "pg/audit/counter.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"
}

namespace rampart::pg::audit {
namespace {

constexpr int kLoggedAhead = 32;

struct SequencePage {
    Page page;
    HeapTupleHeader tuple;
    std::uint32_t length;
    Form_pg_sequence_data data;
};

SequencePage Read(Buffer buffer) {
    const Page page = BufferGetPage(buffer);
    const ItemId item = PageGetItemId(page, FirstOffsetNumber);
    auto* tuple = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    return {
        page, tuple, ItemIdGetLength(item),
        reinterpret_cast<Form_pg_sequence_data>(reinterpret_cast<char*>(tuple) + tuple->t_hoff)};
}

// The page in the log has the last number that may be handed out without logging.
void Log(Relation relation, Buffer buffer, const SequencePage& sequence, std::int64_t number) {
    xl_seq_rec record{relation->rd_node};
    sequence.data->last_value = number + kLoggedAhead;
    sequence.data->is_called = true;
    sequence.data->log_cnt = 0;
    XLogBeginInsert();
    XLogRegisterBuffer(0, buffer, REGBUF_WILL_INIT);
    XLogRegisterData(reinterpret_cast<char*>(&record), sizeof record);
    XLogRegisterData(reinterpret_cast<char*>(sequence.tuple), static_cast<int>(sequence.length));
    const XLogRecPtr end = XLogInsert(RM_SEQ_ID, XLOG_SEQ_LOG);
    PageSetLSN(sequence.page, end);  // a macro that names its argument twice
}

}  // namespace

std::int64_t NextNumber(Oid oid) {
    const Relation relation = relation_open(oid, RowExclusiveLock);
    const Buffer buffer = ReadBuffer(relation, 0);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    const SequencePage sequence = Read(buffer);
    const std::int64_t number =
        sequence.data->is_called ? sequence.data->last_value + 1 : sequence.data->last_value;
    const std::int64_t logged = sequence.data->log_cnt;
    // A checkpoint may have passed the last record.
    const bool log = logged < 1 || PageGetLSN(sequence.page) <= GetRedoRecPtr();
    // START_CRIT_SECTION, which C++20 deprecates: ++ of a volatile.
    CritSectionCount = CritSectionCount + 1;
    MarkBufferDirty(buffer);
    if (log) Log(relation, buffer, sequence, number);
    sequence.data->last_value = number;
    sequence.data->is_called = true;
    sequence.data->log_cnt = log ? kLoggedAhead : logged - 1;
    CritSectionCount = CritSectionCount - 1;
    UnlockReleaseBuffer(buffer);
    relation_close(relation, NoLock);
    return number;
}

}  // namespace rampart::pg::audit
