#include "pg/postgres.hpp"

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
        databases = lappend_oid(databases, row->oid);
        MemoryContextSwitchTo(caller);
    }
    table_endscan(scan);
    table_close(relation, AccessShareLock);
    PopActiveSnapshot();
    CommitTransactionCommand();
    return databases;
}

void VisitAll(MemoryContext context) {
    ListCell* cell = nullptr;
    foreach (cell, Databases(context)) {
        StartWorker(lfirst_oid(cell));
        Sleep(kPauseMilliseconds);
    }
    MemoryContextReset(context);
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
        for (;;) {
            workers::VisitAll(context);
            workers::Sleep(settings::worker_naptime * 1000L);
        }
    });
}
