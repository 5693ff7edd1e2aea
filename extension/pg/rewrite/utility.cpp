#include "pg/rewrite/utility.hpp"

#include "pg/boundary.hpp"
#include "pg/types/compare.hpp"

extern "C" {
#include "tcop/utility.h"
}

namespace rampart::pg::rewrite {
namespace {

ProcessUtility_hook_type previous_utility = nullptr;

void OnUtility(PlannedStmt* statement, const char* text, bool read_only,
               ProcessUtilityContext context, ParamListInfo parameters,
               QueryEnvironment* environment, DestReceiver* receiver, QueryCompletion* completion) {
    const NodeTag tag = nodeTag(statement->utilityStmt);
    if (tag == T_AlterTableStmt && context != PROCESS_UTILITY_SUBCOMMAND &&
        Guard([&] { return AdoptLinkedColumn(statement->utilityStmt); })) {
        if (completion != nullptr) SetQueryCompletion(completion, CMDTAG_ALTER_TABLE, 0);
        return;
    }
    if (tag == T_VacuumStmt) types::NoteAnalyzing();
    if (tag == T_CreateTableAsStmt || tag == T_ExplainStmt) {
        // A tree that belongs to a plan cache is not ours to change.
        if (read_only) statement = static_cast<PlannedStmt*>(copyObjectImpl(statement));
        read_only = false;
        Guard([&] { GiveScopes(statement->utilityStmt); });
    }
    auto* process = previous_utility != nullptr ? previous_utility : standard_ProcessUtility;
    process(statement, text, read_only, context, parameters, environment, receiver, completion);
}

}  // namespace

void InstallUtilityHook() {
    previous_utility = ProcessUtility_hook;
    ProcessUtility_hook = OnUtility;
}

}  // namespace rampart::pg::rewrite
