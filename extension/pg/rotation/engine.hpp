// Rewrites rows of one table, a range of blocks at a time, within the caller's transaction.
//
// A row is updated below SQL's UPDATE, because its meaning does not change: no trigger fires, no
// policy, CHECK or foreign key is asked, generated columns stay as they are. Indexes and logical
// decoding learn of the new row version as of any other. The caller's changes win: a row that is
// locked, or was changed since the snapshot, is left alone and counted, to be come back to. Nothing
// stronger than ROW EXCLUSIVE is taken on the table. A batch ends as soon as somebody waits for it.
//
// A value that cannot be brought under the active key is reported with its row, which stays as it
// is. Index expressions run as the table's owner in a security-restricted operation.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"
#include "pg/rotation/refresh.hpp"

extern "C" {
#include "storage/block.h"
#include "storage/itemptr.h"
}

namespace rampart::pg::rotation {

// What is to be done in a column: to bring its values under their scope's active key, or, where
// there is a source, to fill it from that column.
struct ColumnTask {
    const char* name;
    const char* source;      // a plaintext column, or nullptr
    const char* aad_column;  // of a registered bytea column: whose text is the aad; or nullptr
    const char* aad_prefix;  // stands before it; or nullptr
    Tally tally;
};

struct Problem {
    ItemPointerData row;
    int column;  // index of its task, -1: the row as a whole
    char text[240];
};

struct Range {
    Oid relation;
    std::uint32_t scope_tag;
    BlockNumber first;
    BlockNumber end;  // not included; kToTheEnd: as long as the table is when the batch begins
    std::int64_t max_rows;  // rewritten rows after which the batch ends, with its block
    // A round that must find nothing before the rotation may end: reads on under one snapshot, past
    // the usual time, until it finds something; then waits for rows that others hold (under
    // lock_timeout), and goes after rows that others moved.
    bool checking;
    // A range that failed as a whole before: each row in a subtransaction.
    bool careful;
};
inline constexpr BlockNumber kToTheEnd = MaxBlockNumber;

struct Batch {
    static constexpr int kManyProblems = 100;  // after which the batch ends, with its block
    static constexpr int kMaxProblems = 4 * kManyProblems;

    BlockNumber next;
    bool finished;  // reached the end of the range
    std::int64_t rows_seen, rows_done;
    std::int64_t rows_left;  // locked or changed by others
    std::int64_t problems;   // of which the first kMaxProblems are told
    Problem problem[kMaxProblems];
};

// REQUIRES: the caller holds ROW EXCLUSIVE on the relation. Errors: 42703 (no such column), the
// keyring's, and whatever the server raises.
Batch* Rewrite(const Range& range, ColumnTask* tasks, int count);

}  // namespace rampart::pg::rotation
