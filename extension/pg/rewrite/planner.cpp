#include "pg/rewrite/rewrite.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/log_privacy.hpp"
#include "pg/rewrite/results.hpp"
#include "pg/types/compare.hpp"
#include "pg/types/kinds.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "access/transam.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::rewrite {
namespace {

planner_hook_type previous_planner = nullptr;
create_upper_paths_hook_type previous_upper_paths = nullptr;
ExecutorStart_hook_type previous_executor_start = nullptr;

void VeilResult(Rewrite& rewrite, Query* query) {
    if (!GoesToClient()) return;
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
        entry->expr = reinterpret_cast<Expr*>(makeRelabelType(reinterpret_cast<Expr*>(veiled),
                                                              oids->type, exprTypmod(expression),
                                                              collation, COERCE_IMPLICIT_CAST));
        rewrite.depends_on_keyring = true;
    }
}

bool IsOurs(const Catalog& catalog, Oid function) {
    return function >= FirstNormalObjectId && get_func_namespace(function) == catalog.schema;
}

// They run queries of their own and write values by type.
bool MapsXml(Oid function) {
    switch (function) {
        case F_TABLE_TO_XML:
        case F_QUERY_TO_XML:
        case F_SCHEMA_TO_XML:
        case F_DATABASE_TO_XML:
        case F_TABLE_TO_XML_AND_XMLSCHEMA:
        case F_QUERY_TO_XML_AND_XMLSCHEMA:
        case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
        case F_DATABASE_TO_XML_AND_XMLSCHEMA:
            return true;
        default:
            return false;
    }
}

void NoteUse(Rewrite* rewrite, bool uses) {
    if (uses) log_privacy::Touch();
    rewrite->uses_encrypted |= uses;
}

// XML is written by the type: a boolean is true in it and not t.
void GivePlainTypes(const Catalog& catalog, List* arguments) {
    ListCell* cell = nullptr;
    foreach (cell, arguments) {
        auto* argument = static_cast<Node*>(lfirst(cell));
        const KindOids* oids = catalog.FindType(exprType(argument));
        if (oids == nullptr) continue;
        const Oid collation = exprCollation(argument);
        lfirst(cell) =
            makeFuncExpr(oids->to_plain, types::InfoOf(catalog.KindOf(*oids)).plain_type,
                         list_make1(argument), collation, collation, COERCE_IMPLICIT_CAST);
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
            RewriteQueryOrder(*rewrite, castNode(Query, node));
            break;
        case T_OpExpr:
        case T_DistinctExpr:
        case T_NullIfExpr:
            RewriteOperator(*rewrite, reinterpret_cast<OpExpr*>(node));
            RefuseContainerComparison(*rewrite, reinterpret_cast<OpExpr*>(node)->opfuncid,
                                      reinterpret_cast<OpExpr*>(node)->args);
            break;
        case T_FuncExpr:
            NoteUse(rewrite, IsOurs(rewrite->catalog, castNode(FuncExpr, node)->funcid));
            rewrite->maps_xml |= MapsXml(castNode(FuncExpr, node)->funcid);
            RefuseContainerComparison(*rewrite, castNode(FuncExpr, node)->funcid,
                                      castNode(FuncExpr, node)->args);
            break;
        case T_Var:
        case T_Const:
        case T_Param:
            NoteUse(rewrite, rewrite->catalog.FindType(exprType(node)) != nullptr);
            break;
        case T_ScalarArrayOpExpr:
            RewriteArrayOperator(*rewrite, castNode(ScalarArrayOpExpr, node));
            break;
        case T_XmlExpr:
            GivePlainTypes(rewrite->catalog, castNode(XmlExpr, node)->args);
            GivePlainTypes(rewrite->catalog, castNode(XmlExpr, node)->named_args);
            break;
        case T_MinMaxExpr:
            RefuseContainerExtreme(*rewrite, castNode(MinMaxExpr, node));
            break;
        case T_Aggref:
            RewriteAggregateOrder(*rewrite, castNode(Aggref, node));
            break;
        default:
            break;
    }
    return WalkChildren(node, rewrite);
}

// What must be known when a plan is executed travels with it, as invalidation items of caches that
// do not exist: that it uses encrypted values or maps queries to XML, and the scopes whose tokens
// it holds.
constexpr int kUsesEncrypted = -1;
constexpr int kComparedScope = -2;
constexpr int kMapsXml = -3;

void AddItem(PlannedStmt* plan, int what, std::uint32_t value) {
    auto* item = makeNode(PlanInvalItem);
    item->cacheId = what;
    item->hashValue = value;
    plan->invalItems = lappend(plan->invalItems, item);
}

void NoteDependencies(const Rewrite& rewrite, PlannedStmt* plan) {
    if (rewrite.uses_encrypted) AddItem(plan, kUsesEncrypted, 0);
    if (rewrite.maps_xml) AddItem(plan, kMapsXml, 0);
    if (!rewrite.depends_on_keyring && rewrite.compared_scopes == NIL) return;
    plan->dependsOnRole = true;
    for (const Oid table :
         {rewrite.catalog.scope_table, rewrite.catalog.key_table, rewrite.catalog.grant_table}) {
        plan->relationOids = lappend_oid(plan->relationOids, table);
    }
    ListCell* cell = nullptr;
    foreach (cell, rewrite.compared_scopes) {
        AddItem(plan, kComparedScope, static_cast<std::uint32_t>(lfirst_int(cell)));
    }
}

// A cached plan outlives the right that its tokens were made with, in a transaction that holds its
// locks.
void BeforeExecution(const PlannedStmt* plan) {
    ListCell* cell = nullptr;
    foreach (cell, plan->invalItems) {
        const auto* item = lfirst_node(PlanInvalItem, cell);
        if (item->cacheId == kUsesEncrypted) log_privacy::Touch();
        if (item->cacheId == kMapsXml) NoteXmlMapping();
        if (item->cacheId != kComparedScope) continue;
        keyring::RequireRight(keyring::Keyring::Current().ScopeTagged(item->hashValue),
                              keyring::kEncryptOrDecrypt);
    }
}

PlannedStmt* Plan(Query* query, const char* text, int options, ParamListInfo parameters) {
    if (ActivePortal == nullptr) types::NoteSeen();
    Rewrite rewrite{Catalog::Current(), parameters, query, false, false, false, NIL};
    if (rewrite.catalog.present) {
        Guard([&] {
            VeilResult(rewrite, query);
            Walk(reinterpret_cast<Node*>(query), &rewrite);
        });
    }
    auto* planner = previous_planner != nullptr ? previous_planner : standard_planner;
    PlannedStmt* plan = planner(query, text, options, parameters);
    NoteDependencies(rewrite, plan);
    return plan;
}

void OnExecutorStart(QueryDesc* query, int flags) {
    if (query->plannedstmt->invalItems != NIL) Guard([&] { BeforeExecution(query->plannedstmt); });
    auto* start =
        previous_executor_start != nullptr ? previous_executor_start : standard_ExecutorStart;
    start(query, flags);
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
    previous_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = OnExecutorStart;
}

}  // namespace rampart::pg::rewrite
