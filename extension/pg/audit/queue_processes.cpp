// Who is woken when something is queued, and which databases want an auditor.
#include <csignal>
#include <cstring>
#include <utility>

#include "pg/audit/queue.hpp"
#include "pg/audit/queue_memory.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/proc.h"
}

namespace rampart::pg::audit::queue {
namespace {

constexpr std::int64_t kSecond = USECS_PER_SEC;
// Between two turns of a database for which nothing is queued, where processes are scarce.
constexpr std::int64_t kTurn = 10 * kSecond;

void OnAuditorExit(int, Datum) { DetachAuditor(); }

void OnLauncherExit(int, Datum) {
    const Locked locked;
    if (memory->launcher == MyProc->pgprocno) memory->launcher = kNone;
}

}  // namespace

void AttachAuditor() {
    static bool registered = false;
    if (!Shared()) return;
    if (!std::exchange(registered, true)) before_shmem_exit(OnAuditorExit, Datum{0});
    const Locked locked;
    Slot* slot = FindOrMakeSlot(MyDatabaseId);
    if (slot == nullptr) return;
    slot->starting = false;
    slot->auditor = MyProc->pgprocno;
    slot->auditor_pid = MyProcPid;
}

void DetachAuditor() {
    if (!Shared()) return;
    const Locked locked;
    Slot* slot = FindSlot(MyDatabaseId);
    if (slot == nullptr || slot->auditor != MyProc->pgprocno) return;
    slot->auditor = kNone;
    if (memory->crowded) {
        // It lets others go first. What is queued brings it back soon; a step that only time asks
        // for is not worth starting a process for each second.
        const TimestampTz now = GetCurrentTimestamp();
        slot->not_before = now + kSecond;
        slot->due = Max(slot->due, now + kTurn);
    }
    Wake(memory->launcher);
}

void SetNextStep(std::int32_t delay) {
    if (!Shared()) return;
    const Locked locked;
    Slot* slot = FindSlot(MyDatabaseId);
    if (slot == nullptr) return;
    slot->resident = delay >= 0;
    slot->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay);
}

void SetPresent(bool present) {
    if (!Shared() || !OidIsValid(MyDatabaseId)) return;
    const Locked locked;
    Slot* slot = FindOrMakeSlot(MyDatabaseId);
    if (slot == nullptr) return;
    slot->state = present ? State::kPresent : State::kAbsent;
    if (present) return;
    ReleaseAll(slot);
    slot->resident = false;
    slot->lost_told = slot->lost;
}

bool IsCrowded() {
    if (!Shared()) return false;
    const Locked locked(LW_SHARED);
    return memory->crowded;
}

void SendAuditorAway(Oid database) {
    if (!Shared()) return;
    int pid = 0;
    {
        const Locked locked;
        Slot* slot = FindSlot(database);
        if (slot == nullptr) return;
        slot->not_before = GetCurrentTimestamp() + 10 * kSecond;
        if (slot->auditor != kNone) pid = slot->auditor_pid;
    }
    if (pid != 0) kill(pid, SIGTERM);
}

void AttachLauncher() {
    if (!Shared()) return;
    before_shmem_exit(OnLauncherExit, Datum{0});
    const Locked locked;
    memory->launcher = MyProc->pgprocno;
}

void WakeLauncher() {
    if (!Shared()) return;
    std::int32_t launcher = kNone;
    {
        const Locked locked;
        memory->visit = true;
        launcher = memory->launcher;
    }
    Wake(launcher);
}

bool TakeVisitRequest() {
    if (!Shared()) return false;
    const Locked locked;
    return std::exchange(memory->visit, false);
}

namespace {

bool Lists(List* databases, Oid database) {
    ListCell* cell = nullptr;
    foreach (cell, databases) {
        if (static_cast<const Database*>(lfirst(cell))->oid == database) return true;
    }
    return false;
}

}  // namespace

void SetDatabases(List* databases) {
    if (!Shared()) return;
    std::uint64_t homeless = 0;
    int forgotten = 0;
    {
        const Locked locked;
        for (int i = 0; i < memory->slot_count; ++i) {
            Slot& slot = memory->slots[i];
            if (!OidIsValid(slot.database) || Lists(databases, slot.database)) continue;
            if (slot.first != kNone) ++forgotten;
            ReleaseAll(&slot);
            slot.database = InvalidOid;
        }
        ListCell* cell = nullptr;
        foreach (cell, databases) {
            const auto* database = static_cast<const Database*>(lfirst(cell));
            if (Slot* slot = FindOrMakeSlot(database->oid)) slot->name = database->name;
        }
        homeless = std::exchange(memory->homeless, 0);
    }
    if (forgotten > 0)
        ereport(LOG, (errmsg("security events of %d databases that cannot be connected to were "
                             "dropped",
                             forgotten)));
    if (homeless > 0)
        ereport(LOG, (errmsg("%llu security events were lost: there are more than %d databases",
                             static_cast<unsigned long long>(homeless), kSlots)));
}

namespace {

// Those about to start included.
int Auditors(TimestampTz now) {
    int count = 0;
    for (int i = 0; i < memory->slot_count; ++i) {
        const Slot& slot = memory->slots[i];
        if (OidIsValid(slot.database) &&
            (slot.auditor != kNone || (slot.starting && slot.not_before > now)))
            ++count;
    }
    return count;
}

bool HasQueued(const Slot& slot) { return slot.first != kNone || slot.lost > slot.lost_told; }

// Now, or sometime without anything happening before.
bool WillWant(const Slot& slot) {
    return OidIsValid(slot.database) && slot.auditor == kNone && slot.state != State::kAbsent &&
           (HasQueued(slot) || slot.resident);
}

void WakeAuditors() {
    for (int i = 0; i < memory->slot_count; ++i) {
        if (OidIsValid(memory->slots[i].database)) Wake(memory->slots[i].auditor);
    }
}

}  // namespace

int TakeWanted(Oid* databases, int room, int* later) {
    int count = 0;
    *later = 0;
    if (!Shared()) return 0;
    const TimestampTz now = GetCurrentTimestamp();
    const Locked locked;
    const int free = Max(1, max_worker_processes / 2) - Auditors(now);
    memory->crowded = false;
    const int turn = memory->turn;
    for (int i = 0; i < memory->slot_count; ++i) {
        const int place = (turn + i) % memory->slot_count;
        Slot& slot = memory->slots[place];
        if (!WillWant(slot)) continue;
        const bool due = slot.not_before <= now && (HasQueued(slot) || slot.due <= now);
        const bool crowded = due && count >= free;
        if (crowded) memory->crowded = true;
        if (!due || crowded || count == room) {
            ++*later;
            continue;
        }
        slot.not_before = now + kSecond;
        slot.starting = true;
        memory->turn = place + 1;
        databases[count++] = slot.database;
    }
    if (memory->crowded) WakeAuditors();
    return count;
}

bool StartedAfterCrash() { return Shared() && memory->crashed; }

bool TakeFirstRun() {
    if (!Shared()) return false;
    const Locked locked;
    return !std::exchange(memory->told, true);
}

}  // namespace rampart::pg::audit::queue
