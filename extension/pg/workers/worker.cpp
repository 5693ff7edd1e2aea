#include "pg/postgres.hpp"

#include "pg/audit/queue.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/workers/worker.hpp"
#include "pg/workers/workers.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

RAMPART_EXPORT void rampart_worker_main(Datum database);
}

namespace rampart::pg::workers {
namespace {

constexpr std::int32_t kIdle = -1;

// By Kind. Advisory locks of users have 1 or 2 in the field that is `lock` here.
struct Job {
    const char* process;
    const char* work;
    std::uint16_t lock;
    bool drains;  // the queue of events wakes it
};
constexpr Job kJobs[kKinds] = {
    {"rampart worker", "SELECT rampart.work()", 3, false},
    {"rampart auditor", "SELECT rampart.audit_work()", 4, true},
};

const Job& JobOf(Kind kind) { return kJobs[static_cast<int>(kind)]; }

LOCKTAG LockOf(const Job& job) {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0x72616d70, 0, job.lock);
    return tag;
}

bool BecomeTheOne(const Job& job) {
    const LOCKTAG tag = LockOf(job);
    if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL) return false;
    if (job.drains) audit::queue::AttachAuditor();
    return true;
}

void LetOthers(const Job& job) {
    const LOCKTAG tag = LockOf(job);
    if (job.drains) audit::queue::DetachAuditor();
    LockRelease(&tag, ExclusiveLock, true);
}

// False: there is no extension. DROP EXTENSION locks it first, then what is in it in an order of
// its own: with a process that holds some of that and wants the rest it would deadlock.
bool HoldExtension() {
    const Oid extension = get_extension_oid("rampart", true);
    if (!OidIsValid(extension)) return false;
    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    return get_extension_oid("rampart", true) == extension;
}

// Milliseconds to wait before the next step, or kIdle.
std::int32_t Step(const Job& job) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    const bool present = HoldExtension() && Catalog::Current().present;
    PushActiveSnapshot(GetTransactionSnapshot());
    std::int32_t delay = kIdle;
    audit::queue::SetPresent(present);
    if (present) {
        pgstat_report_activity(STATE_RUNNING, job.work);
        SPI_connect();
        if (SPI_execute(job.work, false, 1) == SPI_OK_SELECT && SPI_processed == 1) {
            bool null = false;
            const Datum result =
                SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
            if (!null) delay = Max(DatumGetInt32(result), kIdle);
        }
        SPI_finish();
    }
    PopActiveSnapshot();
    CommitTransactionCommand();
    pgstat_report_stat(false);
    pgstat_report_activity(STATE_IDLE, nullptr);
    return delay;
}

void Sleep(std::int32_t milliseconds) {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
              PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
}

// False: others need the process more.
bool WorkUntilIdle(const Job& job) {
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
        const std::int32_t delay = Step(job);
        if (job.drains && delay != 0) audit::queue::SetNextStep(delay);
        if (delay == kIdle) return true;
        if (delay > 0 && job.drains && audit::queue::IsCrowded()) return false;
        if (delay > 0) Sleep(delay);
    }
}

// What a server, a database or a role has set for its users' sessions must not stop this one.
void SettleSettings() {
    static constexpr const char* kSettings[][2] = {
        {"zero_damaged_pages", "off"},
        {"statement_timeout", "0"},
        {"lock_timeout", "0"},
        {"idle_in_transaction_session_timeout", "0"},
        {"default_transaction_isolation", "read committed"},
        {"default_transaction_read_only", "off"},
        {"default_transaction_deferrable", "off"},
        {"row_security", "on"},
    };
    for (const auto& [name, value] : kSettings)
        SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

bool wake_at_commit[kKinds];
bool announce_at_commit = false;

void OnTransactionEnd(XactEvent event, void*) {
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
        return;
    for (int kind = 0; kind < kKinds; ++kind) {
        if (wake_at_commit[kind] && event == XACT_EVENT_COMMIT)
            StartWorker(static_cast<Kind>(kind), MyDatabaseId);
        wake_at_commit[kind] = false;
    }
    if (announce_at_commit && event == XACT_EVENT_COMMIT) audit::queue::WakeLauncher();
    announce_at_commit = false;
}

}  // namespace

// No slot is free: the launcher comes by later, or the user calls run_rotation.
bool StartWorker(Kind kind, Oid database) {
    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    worker.bgw_extra[0] = static_cast<char>(kind);
    strlcpy(worker.bgw_library_name, "rampart", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "rampart_worker_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, JobOf(kind).process, sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, JobOf(kind).process, sizeof worker.bgw_type);
    return RegisterDynamicBackgroundWorker(&worker, nullptr);
}

void WakeAtCommit(Kind kind) { wake_at_commit[static_cast<int>(kind)] = true; }

void AnnounceDatabaseAtCommit() { announce_at_commit = true; }

void Install() {
    RegisterXactCallback(OnTransactionEnd, nullptr);
    if (process_shared_preload_libraries_in_progress) RegisterLauncher();
}

}  // namespace rampart::pg::workers

// Another worker may be at it already. One that finds nothing left gives up its place before it
// looks for the last time, so that nobody who came meanwhile was sent away for nothing.
void rampart_worker_main(Datum database) {
    using namespace rampart::pg;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    workers::SettleSettings();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    Guard([] {
        const auto& job = workers::JobOf(static_cast<workers::Kind>(MyBgworkerEntry->bgw_extra[0]));
        while (workers::BecomeTheOne(job)) {
            const bool idle = workers::WorkUntilIdle(job);
            workers::LetOthers(job);
            if (!idle) break;
            const std::int32_t delay = workers::Step(job);
            if (delay == workers::kIdle) break;
        }
    });
    proc_exit(0);
}

RAMPART_FUNCTION(rampart_wake_worker) {
    rampart::pg::workers::WakeAtCommit(rampart::pg::workers::Kind::kWorker);
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_wake_auditor) {
    rampart::pg::workers::WakeAtCommit(rampart::pg::workers::Kind::kAuditor);
    PG_RETURN_VOID();
}
