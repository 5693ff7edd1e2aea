// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW make a column out of any expression.
// One of an encrypted type without a modifier is given rampart.default_scope, or refused, before
// the first row is written: the event trigger that looks after every other way to make a column
// comes too late here.
#include "pg/rewrite/utility.hpp"

#include "error.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/settings.hpp"
#include "typmod.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
}

namespace rampart::pg::rewrite {
namespace {

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
                    "",
                    "Cast the expression: ...::enc_text(scope). A default for expressions "
                    "without: rampart.default_scope.");
    }
    keyring::Keyring::Current().ScopeNamed(scope);
    const std::int32_t typmod = PackModifier({ScopeTag(scope), Mode::kRandomised});
    Node* scoped = coerce_to_target_type(nullptr, expression, type, type, typmod,
                                         COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
    exprSetCollation(scoped, exprCollation(expression));
    target->expr = reinterpret_cast<Expr*>(scoped);
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
    ListCell* cell = nullptr;
    foreach (cell, castNode(Query, query)->targetList) {
        GiveScope(catalog, lfirst_node(TargetEntry, cell));
    }
}

}  // namespace rampart::pg::rewrite
