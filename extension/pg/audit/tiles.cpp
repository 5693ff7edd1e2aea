#include "pg/audit/tiles.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
}

namespace rampart::pg::audit {
namespace {

struct Statement {
    const char* text;
    int parameters;
    SPIPlanPtr plan;
};

// Prepared once a session.
Statement select_tile{
    "SELECT t.hashes FROM rampart.audit_tile t WHERE t.class = $1 AND t.level = $2 AND t.index = "
    "$3",
    3, nullptr};
Statement write_tile{
    "INSERT INTO rampart.audit_tile AS t (class, level, index, hashes) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT ON CONSTRAINT audit_tile_pkey DO UPDATE SET hashes = excluded.hashes",
    4, nullptr};

void Execute(Statement* statement, Datum* values, int expected) {
    Oid types[] = {TEXTOID, INT2OID, INT8OID, BYTEAOID};
    if (statement->plan == nullptr) {
        SPIPlanPtr plan = SPI_prepare(statement->text, statement->parameters, types);
        if (plan == nullptr) throw Error(errc::kInternal, "cannot prepare a statement");
        SPI_keepplan(plan);
        statement->plan = plan;
    }
    // A tile that this transaction wrote must be seen: not with the caller's snapshot.
    if (SPI_execute_plan(statement->plan, values, nullptr, false, 0) != expected)
        throw Error(errc::kInternal, "cannot read or write a tile");
}

struct Bytes {
    const std::uint8_t* data;
    std::size_t size;
};

// Detoasted. No data where there is no row.
Bytes Result() {
    if (SPI_processed != 1) return {};
    bool null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    const bytea* bytes = null ? nullptr : DatumGetByteaPP(value);
    if (bytes == nullptr) return {};
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes)};
}

struct Place {
    Datum values[4];
};

Place PlaceOf(const char* log_class, const rampart::audit::Tile& tile) {
    return {{CStringGetTextDatum(log_class), Int16GetDatum(static_cast<std::int16_t>(tile.level)),
             Int64GetDatum(static_cast<std::int64_t>(tile.index)), Datum{0}}};
}

}  // namespace

// In SPI's memory, which goes with Finish().
StoredTiles::StoredTiles(std::string log_class) : log_class_(std::move(log_class)) {
    memory_ = Call([] {
        SPI_connect();
        return AllocSetContextCreate(CurrentMemoryContext, "rampart tile", ALLOCSET_DEFAULT_SIZES);
    });
}

void StoredTiles::Finish() {
    Call([] { return SPI_finish(); });
}

std::optional<std::vector<std::uint8_t>> StoredTiles::Read(const rampart::audit::Tile& tile) {
    const char* log_class = log_class_.c_str();
    const Bytes bytes = Call([&] {
        MemoryContextReset(memory_);
        const MemoryContext caller = MemoryContextSwitchTo(memory_);
        Place place = PlaceOf(log_class, tile);
        Execute(&select_tile, place.values, SPI_OK_SELECT);
        MemoryContextSwitchTo(memory_);  // SPI leaves its own behind
        const Bytes result = Result();
        MemoryContextSwitchTo(caller);
        return result;
    });
    if (bytes.data == nullptr) return std::nullopt;
    std::vector<std::uint8_t> result(bytes.data, bytes.data + bytes.size);
    Call([] {
        SPI_freetuptable(SPI_tuptable);
        return true;
    });
    return result;
}

void StoredTiles::Write(const rampart::audit::Tile& tile, ByteView hashes) {
    const char* log_class = log_class_.c_str();
    Call([&] {
        MemoryContextReset(memory_);
        const MemoryContext caller = MemoryContextSwitchTo(memory_);
        Place place = PlaceOf(log_class, tile);
        auto* bytes = static_cast<bytea*>(palloc(VARHDRSZ + hashes.size()));
        SET_VARSIZE(bytes, VARHDRSZ + hashes.size());
        std::memcpy(VARDATA(bytes), hashes.data(), hashes.size());
        place.values[3] = PointerGetDatum(bytes);
        Execute(&write_tile, place.values, SPI_OK_INSERT);
        MemoryContextSwitchTo(caller);
        return true;
    });
}

}  // namespace rampart::pg::audit
