// A column that a batch works on: how its new value comes about.
#pragma once

#include "pg/postgres.hpp"
#include "pg/rotation/engine.hpp"

extern "C" {
#include "executor/executor.h"
}

namespace rampart::pg::rotation {

struct Column {
    ColumnTask* task;
    AttrNumber number;
    Oid type;
    std::int32_t modifier;
    bool registered;        // a bytea
    AttrNumber aad_number;  // 0: none
    FmgrInfo aad_output;
    ExprState* source;  // as a value of the plain type
};

// Errors 42703, 42804 (not an encrypted column, no cast from the source).
void OpenColumn(Column* column, ColumnTask* task, Relation relation, EState* state);

// The value of its source, sealed for the column; unchanged where that is NULL.
// REQUIRES: there is a source.
Refreshed SealSource(const Column& column, TupleTableSlot* row, ExprContext* context);

// The column's value in the row that is in the slot. Errors of Refresh.
Refreshed NewValue(const Column& column, std::uint32_t scope_tag, TupleTableSlot* row,
                   ExprContext* context);

}  // namespace rampart::pg::rotation
