// Counts the values of a table by the key that they need, without decrypting any.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

namespace rampart::pg::rotation {

struct KeyCount {
    int column;         // index in the names given
    std::uint64_t key;  // 0: the value does not say, because it is damaged
    std::int64_t values;
    std::int64_t bytes;
};

struct Census {
    KeyCount* counts;
    int count;
    std::int64_t blocks_read;
    std::int64_t blocks;
    std::int64_t rows;
};

// All blocks, or about `max_blocks` of them, evenly spread (0: all). REQUIRES: the caller holds a
// lock on the relation. Error 42703 (no such column).
Census Count(Oid relation, const char* const* columns, int column_count, std::int64_t max_blocks);

}  // namespace rampart::pg::rotation
