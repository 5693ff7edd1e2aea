// A database that is audited has a session all the time, its auditor's, which those who drop, copy,
// rename or move the database know nothing of. The server waits five seconds for other sessions to
// end; this one is told to.
#include "pg/audit/queue.hpp"
#include "pg/workers/workers.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "utils/acl.h"
}

namespace rampart::pg::workers {
namespace {

// The database that must be free of sessions, or nullptr.
const char* DatabaseInTheWay(const Node* statement) {
    switch (nodeTag(statement)) {
        case T_DropdbStmt:
            return reinterpret_cast<const DropdbStmt*>(statement)->dbname;
        case T_RenameStmt: {
            const auto* rename = reinterpret_cast<const RenameStmt*>(statement);
            return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
        }
        case T_AlterDatabaseStmt:
            return reinterpret_cast<const AlterDatabaseStmt*>(statement)->dbname;
        case T_CreatedbStmt: {
            ListCell* cell = nullptr;
            foreach (cell, reinterpret_cast<const CreatedbStmt*>(statement)->options) {
                auto* option = lfirst_node(DefElem, cell);
                if (strcmp(option->defname, "template") == 0 && option->arg != nullptr)
                    return defGetString(option);
            }
            return nullptr;
        }
        default:
            return nullptr;
    }
}

}  // namespace

void MakeWay(const Node* statement) {
    const char* name = DatabaseInTheWay(statement);
    const Oid database = name == nullptr ? InvalidOid : get_database_oid(name, true);
    if (!OidIsValid(database)) return;
    const bool owner = pg_database_ownercheck(database, GetUserId());
    if (owner) audit::queue::SendAuditorAway(database);
}

}  // namespace rampart::pg::workers
