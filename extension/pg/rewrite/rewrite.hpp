// What a whole query shows and no operator alone: before a query is planned, comparisons and sorts
// on encrypted columns are made to mean what they mean on plaintext.
//
//   Comparands   Beside a deterministic column, a literal, parameter or plain expression becomes
//   the
//                token it has under the column's scope, so that indexes, hashing and statistics
//                work. Literals and known parameters become constants of the plan, and EXPLAIN
//                shows them as armour. The rights to do so are the planning role's, so the plan is
//                marked as depending on the role and on the keyring's tables: if either changes, it
//                is made anew.
//   Order        ORDER BY on an encrypted expression sorts by its plain type. The operator class's
//   own
//                order is that of IVs and must never be seen; what cannot be rewritten is refused,
//                here or, for queries that the planner itself inlines, in the upper-path hook.
//   Denial       Where a scope answers with null, a mask or an error instead of armour, the columns
//   of
//                a SELECT's result are wrapped accordingly.
//
// The tree belongs to the planner, which may scribble on it; so does this.
#pragma once

#include "pg/catalog.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
}

namespace rampart::pg::rewrite {

struct Rewrite {
    const Catalog& catalog;
    ParamListInfo parameters;
    bool depends_on_keyring;
    List* compared_scopes;  // tags, int4: the rights in these are asked for at each execution
};

// Errors RMT02 (randomised column) and RMT03 (columns of different scopes).
void RewriteOperator(Rewrite& rewrite, OpExpr* expression);
void RewriteArrayOperator(Rewrite& rewrite, ScalarArrayOpExpr* expression);

// Error RMT05 where a sort cannot be expressed on the plain type.
void RewriteQueryOrder(const Catalog& catalog, Query* query);
void RewriteAggregateOrder(const Catalog& catalog, Aggref* aggregate);
void RewriteMinMax(const Catalog& catalog, MinMaxExpr* expression);
bool OrdersEncrypted(const Catalog& catalog, const List* clauses);
[[noreturn]] void ThrowNotOrderable(const char* where);

void InstallPlannerHooks();

}  // namespace rampart::pg::rewrite
