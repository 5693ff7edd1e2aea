// Values encrypted per key that rampart.key_usage does not hold yet.
//
// In shared memory where the postmaster preloads the library: so parallel workers, transactions
// that roll back or may not write, and standbys are counted as well; what is left at a shutdown is
// kept in a file until the next start, and only a crash loses it. Elsewhere the table is the
// process's own, and ends with it.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

namespace rampart::pg::keyring {

struct KeyUsage {
    Oid database;
    std::uint64_t key_id;
    std::int64_t pending;  // to be written
    std::int64_t total;  // all values of the key, once `complete`; else those since the entry began
    bool complete;
};

class UsageTable {
  public:
    // All of this database. A key that finds no room, because so many others (4,096) have values
    // pending, is not counted.

    // Adds to pending and total; returns the entry as it is then.
    static KeyUsage Add(std::uint64_t key_id, std::int64_t values);
    // What was stored for the key before its entry began. Completes the total.
    static KeyUsage Complete(std::uint64_t key_id, std::int64_t stored);

    // Takes some key's pending values away, for writing. False if there are none.
    static bool Take(KeyUsage* taken);
    // They could not be written. Raises no error.
    static void GiveBack(const KeyUsage& taken);

    // Whether any database has pending values. Takes no lock.
    static bool AnyPending();
    // Copies at most `room` entries with pending values; returns how many.
    static int Pending(KeyUsage* entries, int room);
    static constexpr int kCapacity = 4096;
};

// REQUIRES: the postmaster is loading shared_preload_libraries.
void ShareUsage();

}  // namespace rampart::pg::keyring
