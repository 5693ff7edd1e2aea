// What is done to one row of a batch.
#pragma once

#include "pg/rotation/column.hpp"
#include "pg/rotation/engine.hpp"

namespace rampart::pg::rotation {

// A batch at work.
struct Work {
    const Range& range;
    Relation relation;
    EState* state;
    ResultRelInfo* result;
    TupleTableSlot* row;
    TupleTableSlot* rewritten;
    Column* columns;
    int column_count;
    Batch* batch;
};

// Brings the row in the slot under the active key, counts it, notes what is wrong with it.
void RewriteRow(const Work& work);

}  // namespace rampart::pg::rotation
