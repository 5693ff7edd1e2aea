// The module's table of contents: what is set up when the library is loaded, in order.
#include "pg/postgres.hpp"

#include "pg/audit/audited.hpp"
#include "pg/audit/context.hpp"
#include "pg/audit/log.hpp"
#include "pg/audit/queue.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/detectors/detectors.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/keyring/usage.hpp"
#include "pg/keyring/usage_table.hpp"
#include "pg/log_privacy.hpp"
#include "pg/policy/models.hpp"
#include "pg/principal/principal.hpp"
#include "pg/principal/token_keys.hpp"
#include "pg/rewrite/results.hpp"
#include "pg/rewrite/rewrite.hpp"
#include "pg/rewrite/utility.hpp"
#include "pg/settings.hpp"
#include "pg/types/compare.hpp"
#include "pg/workers/workers.hpp"

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"

RAMPART_EXPORT const Pg_magic_struct* PG_MAGIC_FUNCTION_NAME(void);
PG_MODULE_MAGIC;

RAMPART_EXPORT void _PG_init(void);
}

namespace {

// By the postmaster, at the start of a session (before any transaction), or by a parallel worker
// that takes over its leader's libraries before it runs anything.
bool LoadedInTime() {
    return process_shared_preload_libraries_in_progress || InitializingParallelWorker ||
           !IsTransactionState();
}

}  // namespace

void _PG_init() {
    rampart::pg::Guard([] {
        rampart::pg::settings::Define();
        rampart::pg::principal::DefineSetting();
        rampart::pg::Catalog::RegisterCallbacks();
        rampart::pg::keyring::Keyring::RegisterCallbacks();
        rampart::pg::keyring::RegisterRightsCallbacks();
        rampart::pg::keyring::RegisterUsageCallbacks();
        rampart::pg::audit::RegisterAuditedCallbacks();
        rampart::pg::audit::RegisterContextCallbacks();
        rampart::pg::audit::RegisterLogCallbacks();
        rampart::pg::principal::RegisterTokenCallbacks();
        rampart::pg::policy::RegisterModelCallbacks();
        rampart::pg::rewrite::InstallPlannerHooks();
        rampart::pg::rewrite::InstallUtilityHook();
        rampart::pg::rewrite::InstallResultsHook();
        rampart::pg::log_privacy::InstallHook();
        rampart::pg::workers::Install();
        if (process_shared_preload_libraries_in_progress) {
            rampart::pg::audit::queue::Share();
            rampart::pg::detectors::Install();
            rampart::pg::keyring::ShareUsage();
            rampart::pg::keyring::PreloadRootKeys();
        }
        if (!LoadedInTime()) rampart::pg::types::NoteLoaded();
    });
}
