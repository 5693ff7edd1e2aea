#include "pg/policy/rows.hpp"

#include "error.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg::policy {
namespace {

// Columns as sql/rampart/85_policy_tables.sql declares them.
enum ModelColumn : AttrNumber { kModelName = 1, kModelDefinition, kModelOptions };
enum RuleColumn : AttrNumber { kRuleModel = 1, kRuleId, kRuleType, kRuleValues };

Datum Column(HeapTuple tuple, AttrNumber number, TupleDesc descriptor) {
    bool null = false;
    const Datum value = heap_getattr(tuple, number, descriptor, &null);
    if (null) ereport(ERROR, (errmsg("a policy table has a NULL")));
    return value;
}

Oid PrimaryKeyOf(Oid table, const char* name) {
    const Oid index = get_relname_relid(name, get_rel_namespace(table));
    if (!OidIsValid(index)) ereport(ERROR, (errmsg("index \"%s\" does not exist", name)));
    return index;
}

// The catalog snapshot, taken anew for these tables. The transaction's would keep a right that was
// revoked since; the latest one is not to be had in a parallel worker.
template <typename Visit>
void Scan(Oid table, const char* index_name, std::string_view model, const Visit& visit) {
    const Relation relation = table_open(table, AccessShareLock);
    const Snapshot snapshot = RegisterSnapshot(GetCatalogSnapshot(table));
    const Relation index = index_open(PrimaryKeyOf(table, index_name), AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(
        &key, 1, BTEqualStrategyNumber, F_TEXTEQ,
        PointerGetDatum(cstring_to_text_with_len(model.data(), static_cast<int>(model.size()))));
    key.sk_collation = DEFAULT_COLLATION_OID;
    const SysScanDesc scan = systable_beginscan_ordered(relation, index, snapshot, 1, &key);
    while (HeapTuple tuple = systable_getnext_ordered(scan, ForwardScanDirection)) {
        CHECK_FOR_INTERRUPTS();
        visit(tuple, RelationGetDescr(relation));
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    UnregisterSnapshot(snapshot);
    table_close(relation, AccessShareLock);
}

struct Rules {
    RuleRow* rows;
    std::size_t count;
    std::size_t room;

    void Add(const RuleRow& row) {
        if (count == room) {
            room *= 2;
            rows = static_cast<RuleRow*>(repalloc_huge(rows, room * sizeof(RuleRow)));
        }
        rows[count++] = row;
    }
};

}  // namespace

bool ReadModel(Oid models, Oid rules, std::string_view name, ModelRow* row) {
    bool found = false;
    Scan(models, "policy_model_pkey", name, [&](HeapTuple tuple, TupleDesc descriptor) {
        found = true;
        row->definition = TextDatumGetCString(Column(tuple, kModelDefinition, descriptor));
        Jsonb* options = DatumGetJsonbP(Column(tuple, kModelOptions, descriptor));
        row->options = JsonbToCString(nullptr, &options->root, VARSIZE(options));
    });
    if (!found) return false;
    Rules read{static_cast<RuleRow*>(palloc(64 * sizeof(RuleRow))), 0, 64};
    Scan(rules, "policy_rule_pkey", name, [&](HeapTuple tuple, TupleDesc descriptor) {
        read.Add({TextDatumGetCString(Column(tuple, kRuleType, descriptor)),
                  DatumGetArrayTypePCopy(Column(tuple, kRuleValues, descriptor))});
    });
    row->rules = read.rows;
    row->rule_count = read.count;
    return true;
}

std::optional<std::size_t> TextsOf(ArrayType* array, std::string_view (&texts)[kMaxRuleValues]) {
    if (ARR_ELEMTYPE(array) != TEXTOID || ARR_NDIM(array) > 1 || ARR_HASNULL(array))
        return std::nullopt;
    const auto count = static_cast<std::size_t>(ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0]);
    if (count > kMaxRuleValues) return std::nullopt;
    char* at = ARR_DATA_PTR(array);
    for (std::size_t i = 0; i < count; ++i) {
        at = reinterpret_cast<char*>(att_align_pointer(at, TYPALIGN_INT, -1, at));
        texts[i] = {VARDATA_ANY(at), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(at))};
        at += VARSIZE_ANY(at);
    }
    return count;
}

}  // namespace rampart::pg::policy
