#include "pg/postgres.hpp"

#include "pg/audit/queue.hpp"
#include "pg/audit/queued_event.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "pg/workers/worker.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

RAMPART_EXPORT void rampart_launcher_main(Datum);
}

namespace rampart::pg::workers {
namespace {

// Between two databases, so that a hundred of them do not start a hundred processes at once.
constexpr long kPauseMilliseconds = 100;

void Sleep(long milliseconds) {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
              PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

namespace queue = audit::queue;

// Databases that users connect to. A template must be free of sessions when it is copied.
List* Databases(MemoryContext context) {
    List* databases = NIL;
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    Relation relation = table_open(DatabaseRelationId, AccessShareLock);
    TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
    while (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection)) {
        const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
        if (!row->datallowconn || row->datistemplate) continue;
        const MemoryContext caller = MemoryContextSwitchTo(context);
        auto* database = static_cast<queue::Database*>(palloc(sizeof(queue::Database)));
        *database = {row->oid, row->datname};
        databases = lappend(databases, database);
        MemoryContextSwitchTo(caller);
    }
    table_endscan(scan);
    table_close(relation, AccessShareLock);
    PopActiveSnapshot();
    CommitTransactionCommand();
    return databases;
}

void StartAuditors(long* pause) {
    constexpr int kAtOnce = 4;
    Oid databases[kAtOnce];
    int later = 0;
    const int count = queue::TakeWanted(databases, kAtOnce, &later);
    for (int i = 0; i < count; ++i) StartWorker(Kind::kAuditor, databases[i]);
    // No more than one a second and database, also where it fails.
    if (later > 0) *pause = Min(*pause, 1000L);
}

void VisitAll(MemoryContext context, bool start_workers) {
    List* databases = Databases(context);
    queue::SetDatabases(databases);
    ListCell* cell = nullptr;
    if (start_workers) {
        foreach (cell, databases) {
            StartWorker(Kind::kWorker, static_cast<const queue::Database*>(lfirst(cell))->oid);
            Sleep(kPauseMilliseconds);
        }
    }
    MemoryContextReset(context);
}

void TellStart(Oid database, const char* event_name, const char* metadata) {
    audit::QueuedEvent event{};
    event.at = PgStartTime;
    event.fields[audit::kFieldEvent] = event_name;
    event.fields[audit::kFieldMetadata] = metadata;
    audit::DescribeSession(&event);
    audit::EnqueueFor({database, nullptr}, event, queue::From::kServer);
}

// Each database has a log of its own, and all were down.
void TellAllOfStart(MemoryContext context) {
    const bool crashed = queue::StartedAfterCrash();
    List* databases = Databases(context);
    queue::SetDatabases(databases);
    ListCell* cell = nullptr;
    foreach (cell, databases) {
        const Oid database = static_cast<const queue::Database*>(lfirst(cell))->oid;
        if (crashed)
            TellStart(database, "sys.crash_recovered",
                      "{\"note\": \"events of the last moments may be missing\"}");
        TellStart(database, "sys.started_or_stopped", "{\"state\": \"started\"}");
    }
    MemoryContextReset(context);
}

[[noreturn]] void Run(MemoryContext context) {
    queue::AttachLauncher();
    if (queue::TakeFirstRun()) TellAllOfStart(context);
    TimestampTz visited = 0;
    for (;;) {
        const TimestampTz now = GetCurrentTimestamp();
        const long naptime = settings::worker_naptime * 1000L;
        const bool due = TimestampDifferenceExceeds(visited, now, static_cast<int>(naptime));
        if (due) visited = now;
        if (queue::TakeVisitRequest() || due) VisitAll(context, due);
        long pause = naptime - (GetCurrentTimestamp() - visited) / 1000;
        StartAuditors(&pause);
        Sleep(Max(pause, 1L));
    }
}

}  // namespace

void RegisterLauncher() {
    BackgroundWorker launcher{};
    launcher.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    launcher.bgw_start_time = BgWorkerStart_RecoveryFinished;
    launcher.bgw_restart_time = 5;
    strlcpy(launcher.bgw_library_name, "rampart", sizeof launcher.bgw_library_name);
    strlcpy(launcher.bgw_function_name, "rampart_launcher_main", sizeof launcher.bgw_function_name);
    strlcpy(launcher.bgw_name, "rampart launcher", sizeof launcher.bgw_name);
    strlcpy(launcher.bgw_type, "rampart launcher", sizeof launcher.bgw_type);
    RegisterBackgroundWorker(&launcher);
}

}  // namespace rampart::pg::workers

void rampart_launcher_main(Datum) {
    using namespace rampart::pg;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    Guard([] {
        const MemoryContext context =
            AllocSetContextCreate(TopMemoryContext, "rampart launcher", ALLOCSET_DEFAULT_SIZES);
        workers::Run(context);
    });
}
