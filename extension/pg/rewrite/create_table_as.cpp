// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW make a column out of any expression.
// One of an encrypted type without a modifier is given rampart.default_scope, or refused, before
// the first row is written: the event trigger that looks after every other way to make a column
// comes too late here.
#include "pg/rewrite/utility.hpp"

#include "error.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/rewrite/results.hpp"
#include "pg/settings.hpp"
#include "typmod.hpp"

extern "C" {
#include "commands/prepare.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
}

namespace rampart::pg::rewrite {
namespace {

[[noreturn]] void ThrowNoScope(const char* column) {
    throw Error(
        errc::kScopeUndetermined,
        std::string("encrypted column \"") + (column != nullptr ? column : "") + "\" has no scope",
        "",
        "Cast the expression: ...::enc_text(scope). A default for expressions "
        "without: rampart.default_scope.");
}

void GiveScope(const Catalog& catalog, TargetEntry* target) {
    auto* expression = reinterpret_cast<Node*>(target->expr);
    const Oid type = exprType(expression);
    if (target->resjunk) return;
    if (HoldsUnscoped(catalog, type)) ThrowNoScope(target->resname);
    if (exprTypmod(expression) >= 0 || catalog.FindElementType(type) == nullptr) return;
    const std::string_view scope =
        settings::default_scope != nullptr ? settings::default_scope : "";
    if (scope.empty()) ThrowNoScope(target->resname);
    keyring::Keyring::Current().ScopeNamed(scope);
    const std::int32_t typmod = PackModifier({ScopeTag(scope), Mode::kRandomised});
    Node* scoped = coerce_to_target_type(nullptr, expression, type, type, typmod,
                                         COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
    exprSetCollation(scoped, exprCollation(expression));
    target->expr = reinterpret_cast<Expr*>(scoped);
}

// A prepared query decrypts what it sends to clients; that is not to be stored.
void RequireCiphertext(const Catalog& catalog, const PreparedStatement* prepared) {
    ListCell* query = nullptr;
    foreach (query, prepared->plansource->query_list) {
        ListCell* cell = nullptr;
        foreach (cell, lfirst_node(Query, query)->targetList) {
            if (IsRevealed(catalog, lfirst_node(TargetEntry, cell)->expr)) {
                throw Error(errc::kWouldExpose,
                            "CREATE TABLE AS EXECUTE would store decrypted values", "",
                            "Write CREATE TABLE AS SELECT, which keeps them encrypted.");
            }
        }
    }
}

// CREATE TABLE AS EXECUTE: the prepared query is not ours to change.
void RequireScopes(const Catalog& catalog, const ExecuteStmt* statement) {
    const PreparedStatement* prepared = FetchPreparedStatement(statement->name, false);
    if (prepared == nullptr || prepared->plansource->resultDesc == nullptr) return;
    RequireCiphertext(catalog, prepared);
    const TupleDesc descriptor = prepared->plansource->resultDesc;
    for (int i = 0; i < descriptor->natts; ++i) {
        const FormData_pg_attribute* column = TupleDescAttr(descriptor, i);
        const bool encrypted = catalog.FindElementType(column->atttypid) != nullptr;
        if ((encrypted && column->atttypmod < 0) || HoldsUnscoped(catalog, column->atttypid))
            ThrowNoScope(NameStr(column->attname));
    }
}

}  // namespace

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
    if (Node* utility = castNode(Query, query)->utilityStmt; utility != nullptr) {
        if (IsA(utility, ExecuteStmt)) RequireScopes(catalog, castNode(ExecuteStmt, utility));
        return;
    }
    ListCell* cell = nullptr;
    foreach (cell, castNode(Query, query)->targetList) {
        GiveScope(catalog, lfirst_node(TargetEntry, cell));
    }
}

}  // namespace rampart::pg::rewrite
