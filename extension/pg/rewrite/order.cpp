#include <algorithm>

#include "pg/rewrite/rewrite.hpp"

#include "error.hpp"
#include "pg/types/kinds.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/typcache.h"
}

namespace rampart::pg::rewrite {
namespace {

// The kind whose private ordering the clause sorts by, or nullptr.
const KindOids* SortedKind(const Catalog& catalog, const SortGroupClause* clause) {
    if (!OidIsValid(clause->sortop)) return nullptr;
    for (const auto& oids : catalog.kinds) {
        if (clause->sortop == oids.sort_less || clause->sortop == oids.sort_greater) return &oids;
    }
    return nullptr;
}

Index UnusedReference(const List* targets) {
    Index highest = 0;
    ListCell* cell = nullptr;
    foreach (cell, targets) {
        highest = std::max(highest, lfirst_node(TargetEntry, cell)->ressortgroupref);
    }
    return highest + 1;
}

// A hidden target that holds the decrypted expression.
TargetEntry* PlainTarget(const KindOids& oids, Oid plain, const TargetEntry* entry,
                         const List* targets) {
    const Oid collation = exprCollation(reinterpret_cast<Node*>(entry->expr));
    FuncExpr* decrypted =
        makeFuncExpr(oids.to_plain, plain, list_make1(copyObjectImpl(entry->expr)), collation,
                     collation, COERCE_IMPLICIT_CAST);
    TargetEntry* target =
        makeTargetEntry(reinterpret_cast<Expr*>(decrypted),
                        static_cast<AttrNumber>(list_length(targets) + 1), nullptr, true);
    target->ressortgroupref = UnusedReference(targets);
    return target;
}

// SELECT DISTINCT wants to find what it sorts by among what it makes distinct; a value's plaintext
// adds nothing to the value there.
void AddToDistinct(Query* query) {
    List* distinct = static_cast<List*>(copyObjectImpl(query->sortClause));
    ListCell* cell = nullptr;
    foreach (cell, query->distinctClause) {
        auto* clause = lfirst_node(SortGroupClause, cell);
        if (get_sortgroupref_clause_noerr(clause->tleSortGroupRef, distinct) == nullptr)
            distinct = lappend(distinct, clause);
    }
    query->distinctClause = distinct;
}

// In DISTINCT ON, what is sorted by takes the place of the value it stands for.
void ReplaceInDistinctOn(Query* query, const List* former_order) {
    ListCell* former = nullptr;
    ListCell* current = nullptr;
    forboth(former, former_order, current, query->sortClause) {
        const Index reference = lfirst_node(SortGroupClause, former)->tleSortGroupRef;
        ListCell* cell = nullptr;
        foreach (cell, query->distinctClause) {
            if (lfirst_node(SortGroupClause, cell)->tleSortGroupRef == reference)
                lfirst(cell) = copyObjectImpl(lfirst(current));
        }
    }
}

void OrderByPlain(const Catalog& catalog, List* clauses, List** targets) {
    ListCell* cell = nullptr;
    foreach (cell, clauses) {
        auto* clause = lfirst_node(SortGroupClause, cell);
        const KindOids* oids = SortedKind(catalog, clause);
        if (oids == nullptr) continue;
        const Oid plain = types::InfoOf(catalog.KindOf(*oids)).plain_type;
        TargetEntry* target = PlainTarget(
            *oids, plain, get_sortgroupref_tle(clause->tleSortGroupRef, *targets), *targets);
        *targets = lappend(*targets, target);
        const TypeCacheEntry* type =
            lookup_type_cache(plain, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR | TYPECACHE_EQ_OPR);
        clause->tleSortGroupRef = target->ressortgroupref;
        clause->sortop = clause->sortop == oids->sort_less ? type->lt_opr : type->gt_opr;
        clause->eqop = type->eq_opr;
        clause->hashable = false;
    }
}

}  // namespace

void ThrowNotOrderable(const char* where) {
    throw Error(errc::kNotOrderable,
                std::string("cannot order by an encrypted expression ") + where, "",
                "Order by its plain type: ORDER BY col::text.");
}

bool OrdersEncrypted(const Catalog& catalog, const List* clauses) {
    ListCell* cell = nullptr;
    foreach (cell, clauses) {
        if (SortedKind(catalog, lfirst_node(SortGroupClause, cell)) != nullptr) return true;
    }
    return false;
}

void RewriteQueryOrder(const Rewrite& rewrite, Query* query) {
    const Catalog& catalog = rewrite.catalog;
    RefuseContainerOrder(rewrite, query->sortClause, query->targetList);
    if (OrdersEncrypted(catalog, query->sortClause)) {
        if (query->setOperations != nullptr) ThrowNotOrderable("over UNION, INTERSECT or EXCEPT");
        const auto* former_order = static_cast<List*>(copyObjectImpl(query->sortClause));
        OrderByPlain(catalog, query->sortClause, &query->targetList);
        if (query->hasDistinctOn) {
            ReplaceInDistinctOn(query, former_order);
        } else if (query->distinctClause != NIL) {
            AddToDistinct(query);
        }
    }
    ListCell* cell = nullptr;
    foreach (cell, query->windowClause) {
        List* order = lfirst_node(WindowClause, cell)->orderClause;
        RefuseContainerOrder(rewrite, order, query->targetList);
        OrderByPlain(catalog, order, &query->targetList);
    }
}

void RewriteAggregateOrder(const Rewrite& rewrite, Aggref* aggregate) {
    const Catalog& catalog = rewrite.catalog;
    RefuseContainerOrder(rewrite, aggregate->aggorder, aggregate->args);
    RefuseContainerComparison(rewrite, aggregate->aggfnoid, aggregate->args);
    if (!OrdersEncrypted(catalog, aggregate->aggorder)) return;
    if (AGGKIND_IS_ORDERED_SET(aggregate->aggkind)) ThrowNotOrderable("WITHIN GROUP");
    if (aggregate->aggdistinct != NIL) ThrowNotOrderable("together with DISTINCT");
    OrderByPlain(catalog, aggregate->aggorder, &aggregate->args);
}

}  // namespace rampart::pg::rewrite
