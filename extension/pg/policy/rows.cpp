#include "pg/policy/rows.hpp"

#include "pg/committed.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/jsonb.h"
}

namespace rampart::pg::policy {
namespace {

// Columns as sql/rampart/85_policy_tables.sql declares them.
enum ModelColumn : AttrNumber { kModelName = 1, kModelDefinition, kModelOptions };
enum RuleColumn : AttrNumber { kRuleModel = 1, kRuleId, kRuleType, kRuleValues };

Datum Column(HeapTuple tuple, AttrNumber number, TupleDesc descriptor) {
    bool null = false;
    const Datum value = heap_getattr(tuple, number, descriptor, &null);
    if (null) throw Error(errc::kInternal, "a policy table has a NULL");
    return value;
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
    LockRelationOid(models, AccessShareLock);
    const Snapshot snapshot = TakeCommitted(models);
    ScanCommitted(
        snapshot, models, "policy_model_pkey", name, [&](HeapTuple tuple, TupleDesc columns) {
            found = true;
            row->definition = TextDatumGetCString(Column(tuple, kModelDefinition, columns));
            Jsonb* options = DatumGetJsonbP(Column(tuple, kModelOptions, columns));
            row->options = JsonbToCString(nullptr, &options->root, VARSIZE(options));
        });
    Rules read{static_cast<RuleRow*>(palloc(64 * sizeof(RuleRow))), 0, 64};
    if (found) {
        ScanCommitted(snapshot, rules, "policy_rule_pkey", name,
                      [&](HeapTuple tuple, TupleDesc columns) {
                          read.Add({TextDatumGetCString(Column(tuple, kRuleType, columns)),
                                    DatumGetArrayTypePCopy(Column(tuple, kRuleValues, columns))});
                      });
    }
    UnregisterSnapshot(snapshot);
    row->rules = read.rows;
    row->rule_count = read.count;
    return found;
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
