#include <algorithm>
#include <cstring>
#include <utility>

#include "pg/audit/queue.hpp"

#include "pg/audit/queue_memory.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "catalog/pg_control.h"
#include "common/controldata_utils.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
}

namespace rampart::pg::audit::queue {

Memory* memory = nullptr;

namespace {

constexpr char kName[] = "rampart audit queue";
constexpr long kPatienceMilliseconds = 1000;
constexpr int kWaitMilliseconds = 20;

shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;
bool ran_before = false;  // in the postmaster
std::int64_t last_put = 0;

pg_crc32c Checksum(const RecordHeader& header, const std::uint8_t* bytes) {
    pg_crc32c checksum = 0;
    INIT_CRC32C(checksum);
    COMP_CRC32C(checksum, &header.sequence, sizeof header.sequence);
    COMP_CRC32C(checksum, &header.length, sizeof header.length);
    COMP_CRC32C(checksum, bytes, header.length);
    FIN_CRC32C(checksum);
    return checksum;
}

Slot* FindByName(const char* name) {
    for (int i = 0; i < memory->slot_count; ++i) {
        Slot& slot = memory->slots[i];
        if (OidIsValid(slot.database) && std::strcmp(NameStr(slot.name), name) == 0) return &slot;
    }
    return nullptr;
}

void ReleaseFirst(Slot* slot) {
    std::int32_t block = slot->first;
    slot->first = memory->blocks[block].next_record;
    if (slot->first == kNone) slot->last = kNone;
    while (block != kNone) {
        Block& released = memory->blocks[block];
        const std::int32_t next = released.next;
        released.next = memory->free_first;
        memory->free_first = block;
        ++memory->free_count;
        block = next;
    }
}

RecordHeader HeaderOf(std::int32_t block) {
    RecordHeader header;
    std::memcpy(&header, memory->blocks[block].bytes, sizeof header);
    return header;
}

// What a chain of blocks is written by and read by.
class Cursor {
  public:
    explicit Cursor(std::int32_t block) : block_(block) {}
    template <typename Step>
    bool Walk(std::size_t size, Step&& step) {
        while (size > 0) {
            if (block_ < 0 || block_ >= memory->block_count) return false;
            Block& block = memory->blocks[block_];
            const std::size_t part = std::min(size, sizeof block.bytes - at_);
            step(block.bytes + at_, part);
            at_ += part;
            size -= part;
            if (at_ == sizeof block.bytes) {
                block_ = block.next;
                at_ = 0;
            }
        }
        return true;
    }

  private:
    std::int32_t block_;
    std::size_t at_ = 0;
};

enum class Outcome { kTaken, kDropped, kFull };

// Under the lock. `waker` is the process that has something to do now.
Outcome TryPut(const Target& target, ByteView record, From from, bool last_try,
               std::int32_t* waker) {
    Slot* slot = target.name != nullptr ? FindByName(target.name) : FindOrMakeSlot(target.database);
    if (slot == nullptr) {
        if (target.name != nullptr) return Outcome::kDropped;
        ++memory->homeless;
        return Outcome::kDropped;
    }
    if (slot->state == State::kAbsent ||
        (slot->state == State::kUnknown && from == From::kDetector))
        return Outcome::kDropped;
    *waker = slot->auditor != kNone ? slot->auditor : memory->launcher;
    const std::int32_t reserve = from == From::kApplication ? 0 : memory->block_count / 4;
    if (memory->free_count - BlocksFor(record.size()) < reserve) {
        if (last_try) ++slot->lost;
        return Outcome::kFull;
    }
    Append(slot, ++memory->sequence, record);
    if (slot->database == MyDatabaseId) last_put = memory->sequence;
    return Outcome::kTaken;
}

// --- Set-up --------------------------------------------------------------------------------------

std::int32_t BlockCount() {
    return static_cast<std::int32_t>(settings::audit_queue_size * std::size_t{1024} /
                                     sizeof(Block));
}

Size MemorySize() {
    return offsetof(Memory, blocks) + static_cast<std::size_t>(BlockCount()) * sizeof(Block);
}

void OnShmemRequest() {
    if (previous_request_hook != nullptr) previous_request_hook();
    RequestAddinShmemSpace(MAXALIGN(MemorySize()));
    RequestNamedLWLockTranche(kName, 1);
}

// An immediate shutdown is none: the next start recovers.
bool IsShutDown() {
    bool whole = false;
    const ControlFileData* control = get_controlfile(DataDir, &whole);
    return whole &&
           (control->state == DB_SHUTDOWNED || control->state == DB_SHUTDOWNED_IN_RECOVERY);
}

void Initialise() {
    std::memset(static_cast<void*>(memory), 0, MemorySize());
    memory->lock = &GetNamedLWLockTranche(kName)->lock;
    ConditionVariableInit(&memory->moved);
    memory->launcher = kNone;
    memory->block_count = memory->free_count = BlockCount();
    for (std::int32_t i = 0; i < memory->block_count; ++i)
        memory->blocks[i].next = i + 1 < memory->block_count ? i + 1 : kNone;
    if (!pg_strong_random(&memory->identity, sizeof memory->identity))
        memory->identity = GetCurrentTimestamp();
    memory->crashed = ran_before || !IsShutDown();
}

void OnExit(int code, Datum) { Save(code == 0 && IsShutDown()); }

void OnShmemStartup() {
    if (previous_startup_hook != nullptr) previous_startup_hook();
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    memory = static_cast<Memory*>(ShmemInitStruct(kName, MemorySize(), &found));
    if (!found) Initialise();
    LWLockRelease(AddinShmemInitLock);
    if (IsUnderPostmaster) return;
    on_shmem_exit(OnExit, Datum{0});
    if (!found) Load();
    ran_before = true;
}

}  // namespace

// --- What queue_file.cpp needs too ---------------------------------------------------------------

Slot* FindSlot(Oid database) {
    for (int i = 0; i < memory->slot_count; ++i) {
        if (memory->slots[i].database == database) return &memory->slots[i];
    }
    return nullptr;
}

Slot* FindOrMakeSlot(Oid database) {
    if (!OidIsValid(database)) return nullptr;
    Slot* slot = FindSlot(database);
    if (slot != nullptr) return slot;
    slot = FindSlot(InvalidOid);
    if (slot == nullptr && memory->slot_count < kSlots) slot = &memory->slots[memory->slot_count++];
    if (slot == nullptr) return nullptr;
    *slot = Slot{};
    slot->database = database;
    slot->auditor = slot->first = slot->last = kNone;
    return slot;
}

std::int32_t BlocksFor(std::size_t length) {
    constexpr std::size_t kRoom = sizeof(Block::bytes);
    return static_cast<std::int32_t>((sizeof(RecordHeader) + length + kRoom - 1) / kRoom);
}

// The record is linked in when it is whole.
void Append(Slot* slot, std::int64_t sequence, ByteView record) {
    const std::int32_t first = memory->free_first;
    std::int32_t last = first;
    const std::int32_t count = BlocksFor(record.size());
    for (std::int32_t i = 1; i < count; ++i) last = memory->blocks[last].next;
    memory->free_first = memory->blocks[last].next;
    memory->free_count -= count;
    memory->blocks[last].next = kNone;
    memory->blocks[first].next_record = kNone;
    RecordHeader header{sequence, static_cast<std::uint32_t>(record.size()), 0};
    header.checksum = Checksum(header, record.data());
    Cursor cursor(first);
    const auto write = [&cursor](const void* bytes, std::size_t size) {
        const auto* from = static_cast<const std::uint8_t*>(bytes);
        cursor.Walk(size, [&from](std::uint8_t* to, std::size_t part) {
            std::memcpy(to, from, part);
            from += part;
        });
    };
    write(&header, sizeof header);
    write(record.data(), record.size());
    if (slot->last == kNone) {
        slot->first = first;
    } else {
        memory->blocks[slot->last].next_record = first;
    }
    slot->last = first;
}

bool Read(std::int32_t block, RecordHeader* header, std::uint8_t* buffer) {
    Cursor cursor(block);
    const auto read = [&cursor](void* bytes, std::size_t size) {
        auto* to = static_cast<std::uint8_t*>(bytes);
        return cursor.Walk(size, [&to](const std::uint8_t* from, std::size_t part) {
            std::memcpy(to, from, part);
            to += part;
        });
    };
    return read(header, sizeof *header) && header->length <= kMaxRecord &&
           read(buffer, header->length) && Checksum(*header, buffer) == header->checksum;
}

// --- Putting in ----------------------------------------------------------------------------------

bool Shared() { return memory != nullptr; }

bool Put(const Target& target, ByteView record, From from) {
    if (!Shared()) return false;
    const bool may_wait = from == From::kApplication;
    const TimestampTz began = may_wait ? GetCurrentTimestamp() : 0;
    std::int32_t waker = kNone;
    Outcome outcome = Outcome::kFull;
    while (true) {
        const bool last_try =
            !may_wait || TimestampDifferenceExceeds(began, GetCurrentTimestamp(),
                                                    static_cast<int>(kPatienceMilliseconds));
        {
            const Locked locked;
            outcome = TryPut(target, record, from, last_try, &waker);
        }
        Wake(waker);
        if (outcome != Outcome::kFull || last_try) break;
        ConditionVariableTimedSleep(&memory->moved, kWaitMilliseconds, PG_WAIT_EXTENSION);
    }
    if (may_wait) ConditionVariableCancelSleep();
    return outcome != Outcome::kFull;
}

std::int64_t LastPut() { return last_put; }

bool WaitFor(std::int64_t sequence, long milliseconds) {
    const TimestampTz began = GetCurrentTimestamp();
    bool done = false;
    while (true) {
        std::int32_t waker = kNone;
        {
            const Locked locked(LW_SHARED);
            const Slot* slot = FindSlot(MyDatabaseId);
            done = slot == nullptr || slot->confirmed >= sequence || slot->state == State::kAbsent;
            if (slot != nullptr) waker = slot->auditor != kNone ? slot->auditor : memory->launcher;
        }
        if (done || TimestampDifferenceExceeds(began, GetCurrentTimestamp(),
                                               static_cast<int>(milliseconds)))
            break;
        Wake(waker);
        ConditionVariableTimedSleep(&memory->moved, kWaitMilliseconds, PG_WAIT_EXTENSION);
    }
    ConditionVariableCancelSleep();
    return done;
}

void Wake(std::int32_t process) {
    if (process != kNone) SetLatch(&ProcGlobal->allProcs[process].procLatch);
}

void ReleaseAll(Slot* slot) {
    while (slot->first != kNone) ReleaseFirst(slot);
}

// --- Draining ------------------------------------------------------------------------------------

Progress Confirm(const Progress& stored) {
    const bool ours = stored.queue == memory->identity;
    const Progress progress{memory->identity, ours ? stored.sequence : 0, ours ? stored.lost : 0};
    {
        const Locked locked;
        Slot* slot = FindOrMakeSlot(MyDatabaseId);
        if (slot == nullptr) return progress;
        while (slot->first != kNone && HeaderOf(slot->first).sequence <= progress.sequence)
            ReleaseFirst(slot);
        slot->confirmed = std::max(slot->confirmed, progress.sequence);
        slot->lost_told = std::max(slot->lost_told, progress.lost);
    }
    ConditionVariableBroadcast(&memory->moved);
    return progress;
}

Batch Copy(std::int64_t after, std::uint8_t* buffer, std::size_t size) {
    Batch batch{0, after, 0};
    const Locked locked(LW_SHARED);
    const Slot* slot = FindSlot(MyDatabaseId);
    if (slot == nullptr) return batch;
    batch.lost = slot->lost;
    for (std::int32_t block = slot->first; block != kNone;
         block = memory->blocks[block].next_record) {
        RecordHeader header = HeaderOf(block);
        if (header.sequence <= after) continue;
        if (sizeof header.length + header.length > size) break;
        if (!Read(block, &header, buffer + sizeof header.length)) break;
        std::memcpy(buffer, &header.length, sizeof header.length);
        buffer += sizeof header.length + header.length;
        size -= sizeof header.length + header.length;
        batch.last = header.sequence;
        ++batch.count;
    }
    return batch;
}

ByteView Next(const std::uint8_t*& at) {
    std::uint32_t length = 0;
    std::memcpy(&length, at, sizeof length);
    const ByteView record(at + sizeof length, length);
    at += sizeof length + length;
    return record;
}

void Share() {
    previous_request_hook = std::exchange(shmem_request_hook, OnShmemRequest);
    previous_startup_hook = std::exchange(shmem_startup_hook, OnShmemStartup);
}

}  // namespace rampart::pg::audit::queue
