#include "pg/rewrite/rewrite.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/keyring.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/planner.h"
}

namespace rampart::pg::rewrite {
namespace {

planner_hook_type previous_planner = nullptr;
create_upper_paths_hook_type previous_upper_paths = nullptr;

void VeilResult(Rewrite& rewrite, Query* query) {
    if (query->setOperations != nullptr || !keyring::Keyring::Current().hides_denied()) return;
    ListCell* cell = nullptr;
    foreach (cell, query->commandType == CMD_SELECT ? query->targetList : query->returningList) {
        auto* entry = lfirst_node(TargetEntry, cell);
        if (entry->resjunk || entry->ressortgroupref != 0) continue;
        auto* expression = reinterpret_cast<Node*>(entry->expr);
        const KindOids* oids = rewrite.catalog.FindType(exprType(expression));
        if (oids == nullptr) continue;
        const Oid collation = exprCollation(expression);
        FuncExpr* veiled = makeFuncExpr(oids->veil, oids->type, list_make1(expression), collation,
                                        collation, COERCE_EXPLICIT_CALL);
        // Clients were told the column's modifier already.
        entry->expr = reinterpret_cast<Expr*>(
            makeRelabelType(reinterpret_cast<Expr*>(veiled), oids->type, exprTypmod(expression),
                            collation, COERCE_IMPLICIT_CAST));
        rewrite.depends_on_keyring = true;
    }
}

bool Walk(Node* node, Rewrite* rewrite);

bool WalkChildren(Node* node, Rewrite* rewrite) {
    // PostgreSQL 15 declares walkers without a prototype.
    auto* walker = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(Walk));
    if (IsA(node, Query)) return query_tree_walker(castNode(Query, node), walker, rewrite, 0);
    return expression_tree_walker(node, walker, rewrite);
}

bool Walk(Node* node, Rewrite* rewrite) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
        case T_Query:
            RewriteQueryOrder(rewrite->catalog, castNode(Query, node));
            break;
        case T_OpExpr:
        case T_DistinctExpr:
        case T_NullIfExpr:
            RewriteOperator(*rewrite, reinterpret_cast<OpExpr*>(node));
            break;
        case T_ScalarArrayOpExpr:
            RewriteArrayOperator(*rewrite, castNode(ScalarArrayOpExpr, node));
            break;
        case T_MinMaxExpr:
            RewriteMinMax(rewrite->catalog, castNode(MinMaxExpr, node));
            break;
        case T_Aggref:
            RewriteAggregateOrder(rewrite->catalog, castNode(Aggref, node));
            break;
        default:
            break;
    }
    return WalkChildren(node, rewrite);
}

bool RewriteQuery(Query* query, ParamListInfo parameters) {
    const Catalog& catalog = Catalog::Current();
    if (!catalog.present) return false;
    Rewrite rewrite{catalog, parameters, false};
    VeilResult(rewrite, query);
    Walk(reinterpret_cast<Node*>(query), &rewrite);
    return rewrite.depends_on_keyring;
}

PlannedStmt* Plan(Query* query, const char* text, int options, ParamListInfo parameters) {
    const bool depends_on_keyring = Guard([&] { return RewriteQuery(query, parameters); });
    auto* planner = previous_planner != nullptr ? previous_planner : standard_planner;
    PlannedStmt* plan = planner(query, text, options, parameters);
    if (depends_on_keyring) {
        const Catalog& catalog = Catalog::Peek();
        plan->dependsOnRole = true;
        for (const Oid table : {catalog.scope_table, catalog.key_table, catalog.grant_table})
            plan->relationOids = lappend_oid(plan->relationOids, table);
    }
    return plan;
}

// Queries that the planner makes out of SQL functions never pass Plan().
void RefuseOrder(const PlannerInfo* root, UpperRelationKind stage) {
    const Catalog& catalog = Catalog::Current();
    if (!catalog.present) return;
    constexpr const char* kWhere = "in a function that is inlined";
    ListCell* cell = nullptr;
    if (stage == UPPERREL_ORDERED && OrdersEncrypted(catalog, root->parse->sortClause))
        ThrowNotOrderable(kWhere);
    if (stage == UPPERREL_WINDOW) {
        foreach (cell, root->parse->windowClause) {
            if (OrdersEncrypted(catalog, lfirst_node(WindowClause, cell)->orderClause))
                ThrowNotOrderable(kWhere);
        }
    }
    if (stage == UPPERREL_GROUP_AGG) {
        foreach (cell, root->agginfos) {
            const auto* info = static_cast<AggInfo*>(lfirst(cell));
            if (OrdersEncrypted(catalog, info->representative_aggref->aggorder))
                ThrowNotOrderable(kWhere);
        }
    }
}

void OnUpperPaths(PlannerInfo* root, UpperRelationKind stage, RelOptInfo* input, RelOptInfo* output,
                  void* extra) {
    Guard([&] { RefuseOrder(root, stage); });
    if (previous_upper_paths != nullptr) previous_upper_paths(root, stage, input, output, extra);
}

}  // namespace

void InstallPlannerHooks() {
    previous_planner = planner_hook;
    planner_hook = Plan;
    previous_upper_paths = create_upper_paths_hook;
    create_upper_paths_hook = OnUpperPaths;
}

}  // namespace rampart::pg::rewrite
