// Statements that change who may do what, or carry data away. Those that change something are told
// of when they have succeeded, whatever becomes of their transaction; COPY before it begins,
// because what it has sent, written or run is so even if it fails.
#include <utility>

#include "pg/boundary.hpp"
#include "pg/detectors/detectors.hpp"
#include "pg/detectors/described.hpp"
#include "pg/workers/workers.hpp"

extern "C" {
#include "commands/extension.h"
#include "tcop/utility.h"
}

namespace rampart::pg::detectors {
namespace {

ProcessUtility_hook_type previous_hook = nullptr;

struct Watched {
    NodeTag tag;
    void (*describe)(const Node* statement);
};

constexpr Watched kBefore[] = {{T_CopyStmt, DescribeCopy}};

constexpr Watched kAfter[] = {
    {T_CreateRoleStmt, DescribeCreateRole},
    {T_AlterRoleStmt, DescribeAlterRole},
    {T_DropRoleStmt, DescribeDropRole},
    {T_GrantRoleStmt, DescribeGrantRole},
    {T_GrantStmt, DescribeGrant},
    {T_AlterDefaultPrivilegesStmt, DescribeDefaultPrivileges},
    {T_AlterSystemStmt, DescribeAlterSystem},
    {T_AlterRoleSetStmt, DescribeAlterRoleSet},
    {T_AlterDatabaseSetStmt, DescribeAlterDatabaseSet},
    {T_CreatePolicyStmt, DescribeCreatePolicy},
    {T_AlterPolicyStmt, DescribeAlterPolicy},
    {T_AlterTableStmt, DescribeRowSecurity},
    {T_DropStmt, DescribeDrop},
    {T_RenameStmt, DescribeRename},
    {T_CreateFunctionStmt, DescribeCreateFunction},
    {T_AlterFunctionStmt, DescribeAlterFunction},
    {T_CreateExtensionStmt, DescribeCreateExtension},
    {T_AlterExtensionStmt, DescribeAlterExtension},
};

template <std::size_t Size>
void Look(const Watched (&list)[Size], const Node* statement) {
    // What an extension's script does is told of by its name.
    if (creating_extension) return;
    for (const Watched& watched : list) {
        if (watched.tag == nodeTag(statement)) Guard([&] { watched.describe(statement); });
    }
}

bool MakesDatabase(const Node* statement) {
    return IsA(statement, CreatedbStmt) ||
           (IsA(statement, RenameStmt) &&
            reinterpret_cast<const RenameStmt*>(statement)->renameType == OBJECT_DATABASE);
}

void OnUtility(PlannedStmt* planned, const char* text, bool read_only,
               ProcessUtilityContext context, ParamListInfo parameters,
               QueryEnvironment* environment, DestReceiver* receiver, QueryCompletion* completion) {
    const Node* statement = planned->utilityStmt;
    Look(kBefore, statement);
    Guard([&] { workers::MakeWay(statement); });
    auto* process = previous_hook != nullptr ? previous_hook : standard_ProcessUtility;
    process(planned, text, read_only, context, parameters, environment, receiver, completion);
    Look(kAfter, statement);
    if (MakesDatabase(statement)) workers::AnnounceDatabaseAtCommit();
}

}  // namespace

void InstallStatementHook() { previous_hook = std::exchange(ProcessUtility_hook, OnUtility); }

}  // namespace rampart::pg::detectors
