// The queue's memory, for queue.cpp and queue_file.cpp: a pool of blocks, and for each database a
// list of records, each a chain of blocks.
#pragma once

#include <cstdint>

#include "bytes.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "port/pg_crc32c.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::audit::queue {

constexpr std::int32_t kNone = -1;
constexpr int kSlots = 1024;

struct Block {
    std::int32_t next;         // of the same record
    std::int32_t next_record;  // in a record's first block
    std::uint8_t bytes[248];
};

// At the beginning of a record's bytes.
struct RecordHeader {
    std::int64_t sequence;
    std::uint32_t length;
    pg_crc32c checksum;  // of sequence, length and what follows
};

enum class State : std::uint8_t { kUnknown, kPresent, kAbsent };

// A database. By number where one is known: names come from the launcher.
struct Slot {
    Oid database;
    NameData name;
    State state;
    bool resident;
    TimestampTz due;  // of a resident: the next step of an auditor, also if nothing is queued
    bool starting;
    std::int32_t auditor;  // number of its PGPROC, or kNone
    int auditor_pid;
    TimestampTz not_before;  // of the next auditor's start
    std::int32_t first;
    std::int32_t last;
    std::int64_t confirmed;  // highest number that is committed in the log
    std::int64_t lost;
    std::int64_t lost_told;  // of these, the log speaks
};

struct Memory {
    LWLock* lock;
    ConditionVariable moved;  // room was made, records were confirmed
    std::int64_t identity;
    std::int64_t sequence;   // of the last record
    std::uint64_t homeless;  // lost, because there was no slot for their database
    bool crashed;
    bool told;
    std::int32_t launcher;
    bool visit;
    bool crowded;
    std::int32_t free_first;
    std::int32_t free_count;
    std::int32_t block_count;
    int slot_count;
    int turn;  // the slot that is asked first whether it wants an auditor
    Slot slots[kSlots];
    Block blocks[FLEXIBLE_ARRAY_MEMBER];
};

extern Memory* memory;

// An error that jumps past it ends in a transaction's abort or the process, which release the lock.
class Locked {
  public:
    explicit Locked(LWLockMode mode = LW_EXCLUSIVE) { LWLockAcquire(memory->lock, mode); }
    ~Locked() { LWLockRelease(memory->lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// REQUIRES: the lock is held, or no other process is there.
Slot* FindSlot(Oid database);
Slot* FindOrMakeSlot(Oid database);
std::int32_t BlocksFor(std::size_t length);
void Append(Slot* slot, std::int64_t sequence, ByteView record);
// Copies a record; false if it is not whole. `buffer` has room for kMaxRecord.
bool Read(std::int32_t block, RecordHeader* header, std::uint8_t* buffer);

void ReleaseAll(Slot* slot);

// kNone: nobody. Better without the lock.
void Wake(std::int32_t process);

// From and to the file that outlives the server's processes. REQUIRES: no other process is there.
void Load();
void Save(bool clean);

}  // namespace rampart::pg::audit::queue
