// The queue of events that must survive a rollback: shared memory, where the postmaster preloads
// the library. Any process puts records into it, also before it has a database and in a failed
// transaction; the auditor of the database they are for writes them into its log.
//
// Records of a database leave the queue in the order they came in, and only after the transaction
// that wrote them is seen to have committed: it stores the number of the last one in the same
// transaction (rampart.audit_drained), and whoever drains next drops what is committed. So a
// process that is killed in between loses nothing and doubles nothing. A full queue counts what it
// could not take, per database.
//
// What is in the queue when the server stops, or when all its processes are restarted after a
// crash of one, goes through a file (queue_file.cpp). Lost without a number is only what was there
// when the machine or the postmaster itself was killed.
#pragma once

#include <cstdint>

#include "bytes.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "nodes/pg_list.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::audit::queue {

// Of one record, encoded; more is refused by whoever lets it grow.
constexpr std::size_t kMaxRecord = 128 * 1024;

// By number, or by name where the session is not connected yet.
struct Target {
    Oid database;
    const char* name;
};

// How far a database's events are in its log; stored there by the transaction that wrote them.
struct Progress {
    std::int64_t queue;     // which queue: numbers of another one mean nothing
    std::int64_t sequence;  // the last record written
    std::int64_t lost;      // how many lost ones the log speaks of
};

// Where the postmaster does not preload the library there is no queue.
bool Shared();

// An application waits a moment for room, and may be interrupted. The others do not, and leave it a
// quarter. What a detector sees of a database that is not known to have Rampart is dropped.
enum class From { kApplication, kDetector, kServer };

// False: no room; it was counted.
bool Put(const Target& target, ByteView record, From from);

// Number of the last record that this process put in for its database; 0: none.
std::int64_t LastPut();
// Waits until records up to that number are committed in the log. False: not in that time.
bool WaitFor(std::int64_t sequence, long milliseconds);

// --- For who drains, of its own database ---------------------------------------------------------

// Drops what the log already has; what it says is committed. Returns it as numbers of this queue.
Progress Confirm(const Progress& stored);

// Copies records after that number, as many as fit into the buffer. REQUIRES: kMaxRecord + 16.
struct Batch {
    int count;
    std::int64_t last;
    std::int64_t lost;
};
Batch Copy(std::int64_t after, std::uint8_t* buffer, std::size_t size);
// Takes the first record off a copied batch.
ByteView Next(const std::uint8_t*& at);

// --- For the processes in pg/workers -------------------------------------------------------------

// Makes the process the one to wake for its database, until it exits or detaches.
void AttachAuditor();
void DetachAuditor();
// Milliseconds until an auditor is wanted in this database also if nothing is queued; negative:
// not before something is.
void SetNextStep(std::int32_t delay);
// Whether this database has Rampart; if not, what is queued for it is dropped. Nothing says so when
// the extension is created: into a database that is being restored, nothing is to be written
// between the creation of the log and that of its months.
void SetPresent(bool present);
// Whether other databases wait for an auditor, because half of the server's worker processes are
// auditors already: one that has nothing to do leaves, and comes again.
bool IsCrowded();
// Ends the auditor of a database, and keeps a new one off for some seconds.
void SendAuditorAway(Oid database);

void AttachLauncher();
// Has the launcher look at the list of databases anew.
void WakeLauncher();
bool TakeVisitRequest();

struct Database {
    Oid oid;
    NameData name;
};
// All that there are; others are forgotten with what is queued for them. List of Database*.
void SetDatabases(List* databases);
// Databases that want an auditor and have none, each at most once a second. How many did not fit
// in time is in `later`.
int TakeWanted(Oid* databases, int room, int* later);

// Whether the server's processes ended before without a shutdown.
bool StartedAfterCrash();
// True once after each start.
bool TakeFirstRun();

// REQUIRES: the postmaster is loading shared_preload_libraries.
void Share();

}  // namespace rampart::pg::audit::queue
