#include <algorithm>
#include <string>

#include "pg/postgres.hpp"

#include "pg/rotation/census.hpp"

#include "error.hpp"
#include "pg/rotation/blocks.hpp"
#include "pg/rotation/leaves.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg::rotation {
namespace {

// A sample is read in stretches of this many blocks.
constexpr std::int64_t kStretch = 32;

struct Counting {
    Census census;
    int room;
    int column;
};

KeyCount& CountOf(Counting& counting, std::uint64_t key) {
    Census& census = counting.census;
    for (int i = 0; i < census.count; ++i) {
        if (census.counts[i].column == counting.column && census.counts[i].key == key)
            return census.counts[i];
    }
    if (census.count == counting.room) {
        counting.room *= 2;
        census.counts = static_cast<KeyCount*>(
            repalloc(census.counts, static_cast<std::size_t>(counting.room) * sizeof(KeyCount)));
    }
    return census.counts[census.count++] = {counting.column, key, 0, 0};
}

Refreshed CountValue(void* context, Datum value) {
    types::Identity identity;
    const bool says =
        types::ReadIdentity(types::BeginningOf(value), &identity) && identity.has_iv();
    KeyCount& count = CountOf(*static_cast<Counting*>(context), says ? identity.key_id : 0);
    ++count.values;
    count.bytes += static_cast<std::int64_t>(toast_raw_datum_size(value));
    return {value, false};
}

void CountRow(Counting& counting, TupleTableSlot* row, const AttrNumber* columns, int count) {
    ++counting.census.rows;
    for (int i = 0; i < count; ++i) {
        bool null = false;
        const Datum value = slot_getattr(row, columns[i], &null);
        if (null) continue;
        counting.column = i;
        const Oid type = TupleDescAttr(row->tts_tupleDescriptor, columns[i] - 1)->atttypid;
        if (type == BYTEAOID) {
            CountValue(&counting, value);
        } else {
            VisitLeaves(type, value, CountValue, &counting);
        }
    }
}

struct Source {
    Relation relation;
    TupleTableSlot* row;
    const AttrNumber* columns;
    int column_count;
    MemoryContext row_context;
};

void CountBlocks(Counting& counting, const Source& source, std::int64_t first, std::int64_t end) {
    TableScanDesc scan =
        ScanBlocks(source.relation, static_cast<BlockNumber>(first), static_cast<BlockNumber>(end));
    while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, source.row)) {
        const MemoryContext caller = MemoryContextSwitchTo(source.row_context);
        CountRow(counting, source.row, source.columns, source.column_count);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(source.row_context);
    }
    table_endscan(scan);
    counting.census.blocks_read += end - first;
}

void CountSample(Counting& counting, const Source& source, std::int64_t max_blocks) {
    const std::int64_t blocks = counting.census.blocks;
    if (max_blocks <= 0 || blocks <= max_blocks) {
        if (blocks > 0) CountBlocks(counting, source, 0, blocks);
        return;
    }
    const std::int64_t stretches = std::max<std::int64_t>(1, max_blocks / kStretch);
    for (std::int64_t i = 0; i < stretches; ++i) {
        const std::int64_t first = blocks / stretches * i;
        CountBlocks(counting, source, first, std::min(first + kStretch, blocks));
    }
}

AttrNumber AttributeNumber(Oid table, const char* name) {
    const AttrNumber number = get_attnum(table, name);
    if (number == InvalidAttrNumber)
        throw Error(errc::kUndefinedColumn, "column \"" + std::string(name) + "\" does not exist");
    return number;
}

}  // namespace

Census Count(Oid table, const char* const* names, int column_count, std::int64_t max_blocks) {
    Counting counting{{}, 16, 0};
    counting.census.counts =
        static_cast<KeyCount*>(palloc(static_cast<std::size_t>(counting.room) * sizeof(KeyCount)));
    auto* columns = static_cast<AttrNumber*>(
        palloc(static_cast<std::size_t>(column_count) * sizeof(AttrNumber)));
    for (int i = 0; i < column_count; ++i) columns[i] = AttributeNumber(table, names[i]);
    Relation relation = table_open(table, NoLock);
    TupleTableSlot* row = table_slot_create(relation, nullptr);
    const Source source{
        relation, row, columns, column_count,
        AllocSetContextCreate(CurrentMemoryContext, "rampart row", ALLOCSET_DEFAULT_SIZES)};
    counting.census.blocks = RelationGetNumberOfBlocks(relation);
    CountSample(counting, source, max_blocks);
    ExecDropSingleTupleTableSlot(row);
    MemoryContextDelete(source.row_context);
    table_close(relation, NoLock);
    return counting.census;
}

}  // namespace rampart::pg::rotation
