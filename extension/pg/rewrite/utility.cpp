#include "pg/rewrite/utility.hpp"

#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/log_privacy.hpp"
#include "pg/types/compare.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace rampart::pg::rewrite {
namespace {

ProcessUtility_hook_type previous_utility = nullptr;

// A line of a COPY that does not fit is quoted before any value of it is read.
bool CopiesEncrypted(const Node* node) {
    const RangeVar* name = reinterpret_cast<const CopyStmt*>(node)->relation;
    const Catalog& catalog = Catalog::Current();
    if (name == nullptr || !catalog.present) return false;
    const Oid relation = RangeVarGetRelid(name, NoLock, true);
    const HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(row)) return false;
    const AttrNumber columns = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relnatts;
    ReleaseSysCache(row);
    for (AttrNumber i = 1; i <= columns; ++i) {
        if (catalog.FindType(get_atttype(relation, i)) != nullptr) return true;
    }
    return false;
}

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
    if (tag == T_CopyStmt && castNode(CopyStmt, statement->utilityStmt)->whereClause != nullptr)
        types::NoteConditionalCopy();
    // EXECUTE evaluates its parameters before it reads any value.
    if (tag == T_ExecuteStmt && Catalog::Peek().present) log_privacy::Touch();
    if (tag == T_CopyStmt && Guard([&] { return CopiesEncrypted(statement->utilityStmt); }))
        log_privacy::Touch();
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
