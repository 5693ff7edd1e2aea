// What a whole query shows and no operator alone: before a query is planned, comparisons and sorts
// on encrypted columns are made to mean what they mean on plaintext.
//
//   Comparands   Beside a deterministic column, a literal, parameter or plain expression becomes
//   the
//                token it has under the column's scope, so that indexes, hashing and statistics
//                work. Literals and known parameters become constants of the plan, and EXPLAIN
//                shows them as armour. The right to make tokens is asked for when they are made and
//                again at each execution of the plan.
//   Order        ORDER BY on an encrypted expression sorts by its plain type. The operator class's
//                own order is that of IVs and must never be seen; what cannot be rewritten is
//                refused, here or, for queries that the planner itself inlines, in the upper-path
//                hook.
//   Denial       Where a scope answers with null, a mask or an error instead of armour, the columns
//                of a result that goes to a client are wrapped accordingly.
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
    Query* query;  // the whole
    bool depends_on_keyring;
    bool uses_encrypted;    // values, or functions of ours
    bool maps_xml;          // query_to_xml and its kin
    List* compared_scopes;  // tags, int4: the rights in these are asked for at each execution
};

// Errors RMT02 (randomised column) and RMT03 (columns of different scopes).
void RewriteOperator(Rewrite& rewrite, OpExpr* expression);
void RewriteArrayOperator(Rewrite& rewrite, ScalarArrayOpExpr* expression);

// Error RMT05 where a sort cannot be expressed on the plain type.
void RewriteQueryOrder(const Rewrite& rewrite, Query* query);
void RewriteAggregateOrder(const Rewrite& rewrite, Aggref* aggregate);
bool OrdersEncrypted(const Catalog& catalog, const List* clauses);
void RefuseContainerOrder(const Rewrite& rewrite, const List* clauses, List* targets);
void RefuseContainerComparison(const Rewrite& rewrite, Oid function, const List* arguments);
void RefuseContainerExtreme(const Rewrite& rewrite, const MinMaxExpr* expression);
[[noreturn]] void ThrowNotOrderable(const char* where);

void InstallPlannerHooks();

}  // namespace rampart::pg::rewrite
