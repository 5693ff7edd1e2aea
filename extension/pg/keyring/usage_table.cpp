#include <cstdio>
#include <cstring>
#include <utility>

#include "pg/keyring/usage_table.hpp"

extern "C" {
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace rampart::pg::keyring {
namespace {

constexpr char kName[] = "rampart key usage";
constexpr char kFile[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/rampart_usage.stat";
constexpr char kNewFile[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/rampart_usage.stat.tmp";
constexpr std::uint32_t kFileFormat = 0x524d5531;

struct Memory {
    LWLock* lock;  // none where the memory is the process's own
    pg_atomic_uint32 pending_count;
    int used;
    KeyUsage entries[UsageTable::kCapacity];
};

Memory own{};
Memory* memory = &own;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

// An error that jumps past it ends in a transaction's abort, which releases the lock.
class Locked {
  public:
    explicit Locked(LWLockMode mode) {
        if (memory->lock != nullptr) LWLockAcquire(memory->lock, mode);
    }
    ~Locked() {
        if (memory->lock != nullptr) LWLockRelease(memory->lock);
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

KeyUsage* Find(Oid database, std::uint64_t key_id) {
    for (int i = 0; i < memory->used; ++i) {
        KeyUsage& entry = memory->entries[i];
        if (entry.key_id == key_id && entry.database == database) return &entry;
    }
    return nullptr;
}

// A free place, else that of a key without pending values: what it knew can be read again.
KeyUsage* NewEntry() {
    if (memory->used < UsageTable::kCapacity) return &memory->entries[memory->used++];
    for (KeyUsage& entry : memory->entries) {
        if (entry.pending == 0) return &entry;
    }
    return nullptr;
}

KeyUsage* FindOrMake(Oid database, std::uint64_t key_id) {
    if (KeyUsage* entry = Find(database, key_id)) return entry;
    KeyUsage* entry = NewEntry();
    if (entry != nullptr) *entry = {database, key_id, 0, 0, false};
    return entry;
}

void AddPending(KeyUsage& entry, std::int64_t values) {
    if (entry.pending == 0 && values > 0) pg_atomic_fetch_add_u32(&memory->pending_count, 1);
    entry.pending += values;
}

// --- What outlives a shutdown -------------------------------------------------------------------

void Load() {
    FILE* file = AllocateFile(kFile, PG_BINARY_R);
    if (file == nullptr) return;
    std::uint32_t format = 0;
    if (std::fread(&format, sizeof format, 1, file) == 1 && format == kFileFormat) {
        KeyUsage saved;
        while (std::fread(&saved, sizeof saved, 1, file) == 1) {
            KeyUsage* entry = FindOrMake(saved.database, saved.key_id);
            if (entry == nullptr || saved.pending <= 0) continue;
            AddPending(*entry, saved.pending);
            entry->total += saved.pending;
        }
    }
    FreeFile(file);
    // Nothing is counted twice after a crash.
    unlink(kFile);
}

bool Write(FILE* file) {
    bool written = std::fwrite(&kFileFormat, sizeof kFileFormat, 1, file) == 1;
    for (int i = 0; i < memory->used; ++i) {
        const KeyUsage& entry = memory->entries[i];
        if (entry.pending > 0) written = written && std::fwrite(&entry, sizeof entry, 1, file) == 1;
    }
    return FreeFile(file) == 0 && written;
}

void SaveAtShutdown(int code, Datum) {
    if (code != 0 || !UsageTable::AnyPending()) return;
    FILE* file = AllocateFile(kNewFile, PG_BINARY_W);
    if (file != nullptr && Write(file) && durable_rename(kNewFile, kFile, LOG) == 0) return;
    ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", kFile)));
    unlink(kNewFile);
}

// --- Set-up --------------------------------------------------------------------------------------

void OnShmemRequest() {
    if (previous_request_hook != nullptr) previous_request_hook();
    RequestAddinShmemSpace(MAXALIGN(sizeof(Memory)));
    RequestNamedLWLockTranche(kName, 1);
}

void OnShmemStartup() {
    if (previous_startup_hook != nullptr) previous_startup_hook();
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    memory = static_cast<Memory*>(ShmemInitStruct(kName, sizeof(Memory), &found));
    if (!found) {
        std::memset(static_cast<void*>(memory), 0, sizeof(Memory));
        memory->lock = &GetNamedLWLockTranche(kName)->lock;
        pg_atomic_init_u32(&memory->pending_count, 0);
    }
    LWLockRelease(AddinShmemInitLock);
    if (IsUnderPostmaster) return;
    on_shmem_exit(SaveAtShutdown, Datum{0});
    if (!found) Load();
}

}  // namespace

KeyUsage UsageTable::Add(std::uint64_t key_id, std::int64_t values) {
    const Locked locked(LW_EXCLUSIVE);
    KeyUsage* entry = FindOrMake(MyDatabaseId, key_id);
    if (entry == nullptr) return {MyDatabaseId, key_id, 0, 0, true};
    AddPending(*entry, values);
    entry->total += values;
    return *entry;
}

KeyUsage UsageTable::Complete(std::uint64_t key_id, std::int64_t stored) {
    const Locked locked(LW_EXCLUSIVE);
    KeyUsage* entry = FindOrMake(MyDatabaseId, key_id);
    if (entry == nullptr) return {MyDatabaseId, key_id, 0, stored, true};
    if (!entry->complete) entry->total += stored;
    entry->complete = true;
    return *entry;
}

bool UsageTable::Take(KeyUsage* taken) {
    const Locked locked(LW_EXCLUSIVE);
    for (int i = 0; i < memory->used; ++i) {
        KeyUsage& entry = memory->entries[i];
        if (entry.database != MyDatabaseId || entry.pending == 0) continue;
        *taken = entry;
        entry.pending = 0;
        pg_atomic_fetch_sub_u32(&memory->pending_count, 1);
        return true;
    }
    return false;
}

void UsageTable::GiveBack(const KeyUsage& taken) {
    const Locked locked(LW_EXCLUSIVE);
    KeyUsage* entry = FindOrMake(taken.database, taken.key_id);
    if (entry == nullptr) return;
    AddPending(*entry, taken.pending);
    // It began anew meanwhile.
    if (entry->total < entry->pending) entry->total = entry->pending;
}

bool UsageTable::AnyPending() { return pg_atomic_read_u32(&memory->pending_count) != 0; }

int UsageTable::Pending(KeyUsage* entries, int room) {
    const Locked locked(LW_SHARED);
    int count = 0;
    for (int i = 0; i < memory->used && count < room; ++i) {
        const KeyUsage& entry = memory->entries[i];
        if (entry.database == MyDatabaseId && entry.pending > 0) entries[count++] = entry;
    }
    return count;
}

void ShareUsage() {
    previous_request_hook = std::exchange(shmem_request_hook, OnShmemRequest);
    previous_startup_hook = std::exchange(shmem_startup_hook, OnShmemStartup);
}

}  // namespace rampart::pg::keyring
