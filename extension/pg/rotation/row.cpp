#include <cstring>

#include "pg/postgres.hpp"

#include "pg/rotation/row.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xact.h"
}

namespace rampart::pg::rotation {
namespace {

// How often a row is followed that others keep changing before it is left for the next round.
constexpr int kMaxVersions = 10;

// How many locked rows a batch waits for, each up to lock_timeout.
constexpr int kMaxWaits = 5;

// Errors that say something about one value; all others are the keyring's as a whole.
bool ConcernsValue(const Error& error) {
    static constexpr SqlState kCodes[] = {errc::kMalformedCiphertext, errc::kDecryptionFailed,
                                          errc::kWrongKind,           errc::kUnknownKey,
                                          errc::kKeyDisabled,         errc::kKeyDestroyed};
    for (const SqlState& code : kCodes) {
        if (code.view() == error.state().view()) return true;
    }
    return false;
}

void AddProblem(const Work& work, int column, const char* sqlstate, const char* message) {
    Batch& batch = *work.batch;
    if (batch.problems++ >= Batch::kMaxProblems) return;
    Problem& problem = batch.problem[batch.problems - 1];
    problem.row = work.row->tts_tid;
    problem.column = column;
    strlcpy(problem.text, sqlstate, sizeof problem.text);
    strlcat(problem.text, ": ", sizeof problem.text);
    strlcat(problem.text, message, sizeof problem.text);
}

// All columns of the row as they are, but what dropped columns have left behind: the new version
// has no need of it, and it may be plaintext from before a conversion.
void CopyRow(const Work& work, TupleTableSlot* row) {
    slot_getallattrs(row);
    const auto columns = static_cast<std::size_t>(row->tts_tupleDescriptor->natts);
    std::memcpy(work.rewritten->tts_values, row->tts_values, columns * sizeof(Datum));
    std::memcpy(work.rewritten->tts_isnull, row->tts_isnull, columns * sizeof(bool));
    for (std::size_t i = 0; i < columns; ++i) {
        if (TupleDescAttr(row->tts_tupleDescriptor, i)->attisdropped)
            work.rewritten->tts_isnull[i] = true;
    }
}

// The new value of one column into the rewritten row, which begins as a copy; whether it differs.
bool RewriteValue(const Work& work, TupleTableSlot* row, int number, bool copied) {
    const Column& column = work.columns[number];
    ExprContext* context = GetPerTupleExprContext(work.state);
    Failure failure{};
    try {
        const Refreshed refreshed = NewValue(column, work.range.scope_tag, row, context);
        if (!refreshed.changed) return false;
        if (!copied) CopyRow(work, row);
        work.rewritten->tts_values[column.number - 1] = refreshed.value;
        work.rewritten->tts_isnull[column.number - 1] = false;
        return true;
    } catch (const Error& error) {
        if (!ConcernsValue(error)) throw;
        strlcpy(failure.sqlstate, error.state().code, sizeof failure.sqlstate);
        strlcpy(failure.message, error.what(), sizeof failure.message);
    }
    AddProblem(work, number, failure.sqlstate, failure.message);
    return false;
}

// The row as it should be, in work.rewritten; whether that differs from how it is.
bool Prepare(const Work& work, TupleTableSlot* row) {
    ExecClearTuple(work.rewritten);
    bool changed = false;
    for (int i = 0; i < work.column_count; ++i) changed |= RewriteValue(work, row, i, changed);
    if (changed) ExecStoreVirtualTuple(work.rewritten);
    return changed;
}

TM_Result Store(const Work& work, TupleTableSlot* row, bool wait) {
    TM_FailureData failure;
    LockTupleMode lock_mode = LockTupleNoKeyExclusive;
    bool update_indexes = false;
    const TM_Result result = table_tuple_update(
        work.relation, &row->tts_tid, work.rewritten, GetCurrentCommandId(true),
        work.state->es_snapshot, InvalidSnapshot, wait, &failure, &lock_mode, &update_indexes);
    if (result == TM_Ok && update_indexes && work.result->ri_NumIndices > 0) {
        list_free(ExecInsertIndexTuples(work.result, work.rewritten, work.state, true, false,
                                        nullptr, NIL));
    }
    return result;
}

// The version that is the row now, locked, into the slot. False where it was deleted.
bool LockLatest(const Work& work, ItemPointer tid, TupleTableSlot* latest, bool wait) {
    TM_FailureData failure;
    return table_tuple_lock(work.relation, tid, work.state->es_snapshot, latest,
                            GetCurrentCommandId(false), LockTupleNoKeyExclusive,
                            wait ? LockWaitBlock : LockWaitError, TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
                            &failure) == TM_Ok;
}

// Waits for whoever has the row, and goes after it where it was changed since the snapshot. Whether
// nothing is left to do. A slot of its own: an abort of the subtransaction takes the buffer's pin.
bool StoreLatest(const Work& work) {
    const bool wait = work.batch->rows_left < kMaxWaits;
    TM_Result result = Store(work, work.row, wait);
    if (result == TM_Ok) return true;
    TupleTableSlot* latest = table_slot_create(work.relation, nullptr);
    ItemPointerData tid = work.row->tts_tid;
    for (int i = 0; i < kMaxVersions && result == TM_Updated; ++i) {
        if (!LockLatest(work, &tid, latest, wait)) {
            result = TM_Deleted;
        } else {
            result = Prepare(work, latest) ? Store(work, latest, wait) : TM_Ok;
        }
    }
    ExecDropSingleTupleTableSlot(latest);
    return result == TM_Ok || result == TM_Deleted;
}

bool IsAboutLocks(const Failure& failure) {
    for (const char* code : {"55P03", "40001", "40P01"}) {
        if (std::strcmp(failure.sqlstate, code) == 0) return true;
    }
    return false;
}

// A message may quote a value (of an index expression, say), unless it is about the storage.
void AddFailure(const Work& work, const Failure& failure) {
    if (IsAboutLocks(failure)) {
        ++work.batch->rows_left;
        return;
    }
    const bool is_storage = std::strncmp(failure.sqlstate, "XX", 2) == 0;
    AddProblem(work, -1, failure.sqlstate, is_storage ? failure.message : "cannot be rewritten");
}

void RewriteNow(const Work& work) {
    if (!Prepare(work, work.row)) return;
    ++*(Store(work, work.row, false) == TM_Ok ? &work.batch->rows_done : &work.batch->rows_left);
}

void RewritePatiently(const Work& work) {
    if (!Prepare(work, work.row)) return;
    Failure failure{};
    bool settled = false;
    if (!TryInSubtransaction([&] { settled = StoreLatest(work); }, &failure)) {
        AddFailure(work, failure);
    } else {
        ++*(settled ? &work.batch->rows_done : &work.batch->rows_left);
    }
}

}  // namespace

void RewriteRow(const Work& work) {
    if (work.range.careful) {
        Failure failure{};
        if (!TryInSubtransaction([&] { RewriteNow(work); }, &failure)) AddFailure(work, failure);
    } else if (work.range.checking) {
        RewritePatiently(work);
    } else {
        RewriteNow(work);
    }
}

}  // namespace rampart::pg::rotation
