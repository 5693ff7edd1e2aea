// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW make a column out of any expression. One of
// an encrypted type without a modifier is given rampart.default_scope, or refused, before the first row
// is written: the event trigger that looks after every other way to make a column comes too late here.
#include "pg/rewrite/rewrite.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/settings.hpp"
#include "typmod.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "tcop/utility.h"
}

namespace rampart::pg::rewrite {
namespace {

ProcessUtility_hook_type previous_utility = nullptr;

const KindOids* EncryptedElement(const Catalog& catalog, Oid type) {
    for (const auto& oids : catalog.kinds) {
        if (type == oids.type || type == oids.array_type) return &oids;
    }
    return nullptr;
}

void GiveScope(const Catalog& catalog, TargetEntry* target) {
    auto* expression = reinterpret_cast<Node*>(target->expr);
    const Oid type = exprType(expression);
    if (target->resjunk || exprTypmod(expression) >= 0 || !EncryptedElement(catalog, type)) return;
    const std::string_view scope =
        settings::default_scope != nullptr ? settings::default_scope : "";
    if (scope.empty()) {
        throw Error(errc::kScopeUndetermined,
                    std::string("encrypted column \"") + (target->resname ? target->resname : "") +
                        "\" has no scope",
                    "", "Cast the expression: ...::enc_text(scope). A default for expressions "
                        "without: rampart.default_scope.");
    }
    keyring::Keyring::Current().ScopeNamed(scope);
    const std::int32_t typmod = PackModifier({ScopeTag(scope), Mode::kRandomised});
    Node* scoped = coerce_to_target_type(nullptr, expression, type, type, typmod,
                                         COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
    exprSetCollation(scoped, exprCollation(expression));
    target->expr = reinterpret_cast<Expr*>(scoped);
}

void GiveScopes(Node* statement) {
    if (IsA(statement, ExplainStmt)) {
        Node* query = castNode(ExplainStmt, statement)->query;
        if (IsA(query, Query) && castNode(Query, query)->utilityStmt != nullptr)
            GiveScopes(castNode(Query, query)->utilityStmt);
        return;
    }
    if (!IsA(statement, CreateTableAsStmt)) return;
    Node* query = castNode(CreateTableAsStmt, statement)->query;
    const Catalog& catalog = Catalog::Current();
    if (!catalog.present || !IsA(query, Query)) return;
    ListCell* cell = nullptr;
    foreach (cell, castNode(Query, query)->targetList) {
        GiveScope(catalog, lfirst_node(TargetEntry, cell));
    }
}

void OnUtility(PlannedStmt* statement, const char* text, bool read_only, ProcessUtilityContext context,
               ParamListInfo parameters, QueryEnvironment* environment, DestReceiver* receiver,
               QueryCompletion* completion) {
    const NodeTag tag = nodeTag(statement->utilityStmt);
    if (tag == T_CreateTableAsStmt || tag == T_ExplainStmt) {
        if (read_only) {
            // The tree belongs to a plan cache.
            statement = static_cast<PlannedStmt*>(copyObjectImpl(statement));
            read_only = false;
        }
        Guard([&] { GiveScopes(statement->utilityStmt); });
    }
    auto* process = previous_utility != nullptr ? previous_utility : standard_ProcessUtility;
    process(statement, text, read_only, context, parameters, environment, receiver, completion);
}

}  // namespace

void InstallCreateTableAsHook() {
    previous_utility = ProcessUtility_hook;
    ProcessUtility_hook = OnUtility;
}

}  // namespace rampart::pg::rewrite
