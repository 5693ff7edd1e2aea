// Arrays and rows compare their elements by the operator class, so where they hold encrypted values
// their order is that of IVs. Equality and hashing of them are fine; asking for an order is
// refused.
#include "pg/rewrite/rewrite.hpp"

#include "pg/boundary.hpp"
#include "pg/rewrite/utility.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace rampart::pg::rewrite {
namespace {

constexpr const char* kWhere = "inside an array or a row";

// Whether some column of a row type, given as its base type, passes the test. Not of records, whose
// columns only an expression knows.
template <typename Test>
bool AnyColumn(Oid type, Test&& test) {
    if (type == RECORDOID || !type_is_rowtype(type)) return false;
    TupleDesc descriptor = lookup_rowtype_tupdesc_domain(type, -1, true);
    if (descriptor == nullptr) return false;
    bool found = false;
    for (int i = 0; i < descriptor->natts && !found; ++i) {
        const FormData_pg_attribute* column = TupleDescAttr(descriptor, i);
        found = !column->attisdropped && test(*column);
    }
    ReleaseTupleDesc(descriptor);
    return found;
}

// Of a type that is a container of encrypted values; not of an encrypted type itself.
bool HoldsEncrypted(const Catalog& catalog, Oid type) {
    const Oid base = getBaseType(type);
    const Oid element = get_element_type(base);
    if (OidIsValid(element)) return StoresEncrypted(catalog, element);
    return AnyColumn(base, [&](const FormData_pg_attribute& column) {
        return StoresEncrypted(catalog, column.atttypid);
    });
}

}  // namespace

bool HoldsUnscoped(const Catalog& catalog, Oid type) {
    const Oid base = getBaseType(type);
    const Oid element = get_element_type(base);
    if (OidIsValid(element)) return HoldsUnscoped(catalog, element);
    return AnyColumn(base, [&](const FormData_pg_attribute& column) {
        const bool encrypted = catalog.FindElementType(column.atttypid) != nullptr;
        return encrypted ? column.atttypmod < 0 : HoldsUnscoped(catalog, column.atttypid);
    });
}

namespace {

bool IsRecord(Oid type) { return type == RECORDOID || type == RECORDARRAYOID; }

// Finds a row that is made of encrypted values anywhere below.
bool FindsEncryptedRow(Node* node, const Catalog* catalog) {
    if (node == nullptr) return false;
    auto* walker = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(FindsEncryptedRow));
    if (IsA(node, RowExpr)) {
        ListCell* cell = nullptr;
        foreach (cell, castNode(RowExpr, node)->args) {
            const Oid type = exprType(static_cast<Node*>(lfirst(cell)));
            if (StoresEncrypted(*catalog, type)) return true;
        }
    }
    if (IsA(node, Query))
        return query_tree_walker(castNode(Query, node), walker, const_cast<Catalog*>(catalog), 0);
    return expression_tree_walker(node, walker, const_cast<Catalog*>(catalog));
}

// What an anonymous record holds shows only where it is made: in the expression, or else, for one
// that comes out of a subquery (a SEARCH clause makes such), somewhere in the query.
bool IsContainer(const Rewrite& rewrite, Node* expression) {
    const Oid type = exprType(expression);
    if (!IsRecord(type)) return HoldsEncrypted(rewrite.catalog, type);
    return FindsEncryptedRow(expression, &rewrite.catalog) ||
           (IsA(expression, Var) &&
            FindsEncryptedRow(reinterpret_cast<Node*>(rewrite.query), &rewrite.catalog));
}

bool IsOrdering(Oid function) {
    switch (function) {
        case F_ARRAY_LT:
        case F_ARRAY_LE:
        case F_ARRAY_GT:
        case F_ARRAY_GE:
        case F_ARRAY_LARGER:
        case F_ARRAY_SMALLER:
        case F_RECORD_LT:
        case F_RECORD_LE:
        case F_RECORD_GT:
        case F_RECORD_GE:
        case F_MAX_ANYARRAY:
        case F_MIN_ANYARRAY:
        case F_WIDTH_BUCKET_ANYCOMPATIBLE_ANYCOMPATIBLEARRAY:
            return true;
        default:
            return false;
    }
}

}  // namespace

bool StoresEncrypted(const Catalog& catalog, Oid type) {
    return catalog.FindType(getBaseType(type)) != nullptr || HoldsEncrypted(catalog, type);
}

void RefuseContainerOrder(const Rewrite& rewrite, const List* clauses, List* targets) {
    ListCell* cell = nullptr;
    foreach (cell, clauses) {
        const auto* clause = lfirst_node(SortGroupClause, cell);
        const TargetEntry* target = get_sortgroupref_tle(clause->tleSortGroupRef, targets);
        if (IsContainer(rewrite, reinterpret_cast<Node*>(target->expr))) ThrowNotOrderable(kWhere);
    }
}

void RefuseContainerComparison(const Rewrite& rewrite, Oid function, const List* arguments) {
    if (!IsOrdering(function)) return;
    ListCell* cell = nullptr;
    foreach (cell, arguments) {
        auto* argument = static_cast<Node*>(lfirst(cell));
        if (IsA(argument, TargetEntry))
            argument = reinterpret_cast<Node*>(castNode(TargetEntry, argument)->expr);
        if (IsContainer(rewrite, argument)) ThrowNotOrderable(kWhere);
    }
}

void RefuseContainerExtreme(const Rewrite& rewrite, const MinMaxExpr* expression) {
    if (HoldsEncrypted(rewrite.catalog, expression->minmaxtype)) ThrowNotOrderable(kWhere);
}

}  // namespace rampart::pg::rewrite

// (type oid) -> bool
RAMPART_FUNCTION(rampart_is_encrypted) {
    const rampart::pg::Catalog& catalog = rampart::pg::Catalog::Current();
    PG_RETURN_BOOL(catalog.present && catalog.FindElementType(PG_GETARG_OID(0)) != nullptr);
}

RAMPART_FUNCTION(rampart_holds_encrypted) {
    const rampart::pg::Catalog& catalog = rampart::pg::Catalog::Current();
    const Oid type = PG_GETARG_OID(0);
    const bool exists = SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type));
    PG_RETURN_BOOL(exists && catalog.present &&
                   rampart::pg::rewrite::StoresEncrypted(catalog, type));
}

RAMPART_FUNCTION(rampart_holds_unscoped) {
    const rampart::pg::Catalog& catalog = rampart::pg::Catalog::Current();
    const Oid type = PG_GETARG_OID(0);
    const bool exists = SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type));
    PG_RETURN_BOOL(exists && catalog.present && rampart::pg::rewrite::HoldsUnscoped(catalog, type));
}
