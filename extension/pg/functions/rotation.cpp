// What sql/rampart/52_rotation.sql needs of C++: rewriting and counting a range of blocks, locks
// that are not waited for, and a worker.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/rotation/census.hpp"
#include "pg/rotation/engine.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace rampart::pg::functions {
namespace {

struct Names {
    const char** names;  // nullptr where the element is NULL
    int count;
};

Names NamesOf(ArrayType* array) {
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    Names result{};
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &result.count);
    result.names = static_cast<const char**>(
        palloc(static_cast<std::size_t>(result.count) * sizeof(const char*)));
    for (int i = 0; i < result.count; ++i)
        result.names[i] = nulls[i] ? nullptr : TextDatumGetCString(elements[i]);
    return result;
}

Names NamesArgument(FunctionCallInfo fcinfo, int number, int count) {
    const Names names = NamesOf(PG_GETARG_ARRAYTYPE_P(number));
    if (names.count != count)
        throw Error(errc::kInvalidParameter, "the arrays of columns differ in length");
    return names;
}

Datum Array(Datum* values, int count, Oid type) {
    int16 length = 0;
    bool by_value = false;
    char alignment = 0;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    return PointerGetDatum(construct_array(values, count, type, length, by_value, alignment));
}

template <typename Element>
Datum ArrayOf(int count, Oid type, Element&& element) {
    auto* values = static_cast<Datum*>(palloc(static_cast<std::size_t>(count + 1) * sizeof(Datum)));
    for (int i = 0; i < count; ++i) values[i] = element(i);
    return Array(values, count, type);
}

// Tables and materialised views; their rows are where values stand.
Oid LockedTable(Oid relation) {
    const char kind = get_rel_relkind(relation);
    if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW)
        throw Error(errc::kInvalidParameter, "not a table with rows of its own");
    LockRelationOid(relation, RowExclusiveLock);
    return relation;
}

Datum BatchRecord(FunctionCallInfo fcinfo, const rotation::Batch& batch,
                  rotation::ColumnTask* tasks, int count) {
    const int told =
        static_cast<int>(std::min<std::int64_t>(batch.problems, rotation::Batch::kMaxProblems));
    const auto& problem = batch.problem;
    Datum values[] = {
        Int64GetDatum(batch.next),
        BoolGetDatum(batch.finished),
        Int64GetDatum(batch.rows_seen),
        Int64GetDatum(batch.rows_done),
        Int64GetDatum(batch.rows_left),
        ArrayOf(count, INT8OID, [&](int i) { return Int64GetDatum(tasks[i].tally.seen); }),
        ArrayOf(count, INT8OID, [&](int i) { return Int64GetDatum(tasks[i].tally.done); }),
        Int64GetDatum(batch.problems),
        ArrayOf(told, TIDOID,
                [&](int i) { return PointerGetDatum(const_cast<ItemPointer>(&problem[i].row)); }),
        ArrayOf(told, TEXTOID,
                [&](int i) {
                    return CStringGetTextDatum(
                        problem[i].column < 0 ? "" : tasks[problem[i].column].name);
                }),
        ArrayOf(told, TEXTOID, [&](int i) { return CStringGetTextDatum(problem[i].text); })};
    bool nulls[std::size(values)] = {};
    return Record(fcinfo, values, nulls);
}

// (relation oid, scope_tag int4, columns text[], sources text[], aad_columns text[], aad_prefixes
// text[], first int8, stop int8, max_rows int8, checking bool, careful bool)
Datum RewriteBlocks(FunctionCallInfo fcinfo) {
    const Names columns = NamesOf(PG_GETARG_ARRAYTYPE_P(2));
    const Names sources = NamesArgument(fcinfo, 3, columns.count);
    const Names aad_columns = NamesArgument(fcinfo, 4, columns.count);
    const Names aad_prefixes = NamesArgument(fcinfo, 5, columns.count);
    auto* tasks = static_cast<rotation::ColumnTask*>(
        palloc0(static_cast<std::size_t>(columns.count + 1) * sizeof(rotation::ColumnTask)));
    for (int i = 0; i < columns.count; ++i) {
        if (columns.names[i] == nullptr)
            throw Error(errc::kInvalidParameter, "a column has no name");
        tasks[i] = {
            columns.names[i], sources.names[i], aad_columns.names[i], aad_prefixes.names[i], {}};
    }
    const std::int64_t first = PG_GETARG_INT64(6);
    const std::int64_t stop = PG_GETARG_INT64(7);
    if (first < 0 || stop < first || stop > MaxBlockNumber || PG_GETARG_INT64(8) < 1)
        throw Error(errc::kInvalidParameter, "range of blocks or number of rows out of range");
    const rotation::Range range{LockedTable(PG_GETARG_OID(0)),
                                static_cast<std::uint32_t>(PG_GETARG_INT32(1)),
                                static_cast<BlockNumber>(first),
                                static_cast<BlockNumber>(stop),
                                PG_GETARG_INT64(8),
                                PG_GETARG_BOOL(9),
                                PG_GETARG_BOOL(10)};
    return BatchRecord(fcinfo, *rotation::Rewrite(range, tasks, columns.count), tasks,
                       columns.count);
}

// (relation oid, columns text[], max_blocks int8)
Datum CountKeys(FunctionCallInfo fcinfo) {
    const Names columns = NamesOf(PG_GETARG_ARRAYTYPE_P(1));
    for (int i = 0; i < columns.count; ++i) {
        if (columns.names[i] == nullptr)
            throw Error(errc::kInvalidParameter, "a column has no name");
    }
    const rotation::Census census = rotation::Count(LockedTable(PG_GETARG_OID(0)), columns.names,
                                                    columns.count, PG_GETARG_INT64(2));
    const rotation::KeyCount* counts = census.counts;
    Datum values[] = {
        Int64GetDatum(census.blocks_read),
        Int64GetDatum(census.blocks),
        Int64GetDatum(census.rows),
        ArrayOf(census.count, TEXTOID,
                [&](int i) { return CStringGetTextDatum(columns.names[counts[i].column]); }),
        ArrayOf(census.count, INT8OID,
                [&](int i) { return Int64GetDatum(static_cast<std::int64_t>(counts[i].key)); }),
        ArrayOf(census.count, INT8OID, [&](int i) { return Int64GetDatum(counts[i].values); }),
        ArrayOf(census.count, INT8OID, [&](int i) { return Int64GetDatum(counts[i].bytes); })};
    bool nulls[std::size(values)] = {};
    return Record(fcinfo, values, nulls);
}

}  // namespace
}  // namespace rampart::pg::functions

namespace functions = rampart::pg::functions;

RAMPART_FUNCTION(rampart_rewrite_blocks) { return functions::RewriteBlocks(fcinfo); }
RAMPART_FUNCTION(rampart_count_keys) { return functions::CountKeys(fcinfo); }

// (relation oid) -> bool: ROW EXCLUSIVE until the end of the transaction, if it is to be had at
// once.
RAMPART_FUNCTION(rampart_try_lock_table) {
    PG_RETURN_BOOL(ConditionalLockRelationOid(PG_GETARG_OID(0), RowExclusiveLock));
}

// (relation oid): SHARE until the end of the transaction.
RAMPART_FUNCTION(rampart_keep_writers_out) {
    LockRelationOid(PG_GETARG_OID(0), ShareLock);
    PG_RETURN_VOID();
}
