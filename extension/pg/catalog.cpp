#include <algorithm>

#include "pg/catalog.hpp"

#include "pg/types/kinds.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "access/htup_details.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "parser/parse_oper.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace rampart::pg {
namespace {

Catalog catalog;
bool valid = false;
bool invalidated = false;  // by an event that arrived while reading
std::uint64_t reads = 0;

Oid FindFunction(const char* name, std::initializer_list<Oid> arguments) {
    List* qualified = list_make2(makeString(pstrdup("rampart")), makeString(pstrdup(name)));
    return LookupFuncName(qualified, static_cast<int>(arguments.size()), arguments.begin(), true);
}

Oid FindOperator(const char* schema, const char* name, Oid left, Oid right) {
    List* qualified = list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name)));
    return OpernameGetOprid(qualified, left, right);
}

// Every operator of this name that has an encrypted type on a side; there are ones for types beside
// the plain type as well (enc_int8 = int4).
void AddEqualities(const char* name, bool negated) {
    CatCList* list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(name));
    for (int i = 0; i < list->n_members; ++i) {
        const auto* row = reinterpret_cast<Form_pg_operator>(GETSTRUCT(&list->members[i]->tuple));
        const KindOids* left = catalog.FindType(row->oprleft);
        const KindOids* right = catalog.FindType(row->oprright);
        if (row->oprnamespace != PG_CATALOG_NAMESPACE || (left == nullptr && right == nullptr) ||
            catalog.equality_count == Catalog::kMaxEqualityOperators) {
            continue;
        }
        catalog.equality[catalog.equality_count++] = {
            row->oid, catalog.KindOf(left != nullptr ? *left : *right), negated};
    }
    ReleaseSysCacheList(list);
}

void ReadKind(const types::KindInfo& info) {
    KindOids& oids = catalog.kinds[static_cast<std::uint8_t>(info.kind) - 1];
    const Oid type =
        GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(info.encrypted_type),
                        ObjectIdGetDatum(PG_CATALOG_NAMESPACE));
    const Oid plain = info.plain_type;
    oids.type = type;
    oids.array_type = get_array_type(type);
    oids.to_plain = FindFunction("to_plain", {type});
    oids.reveal = FindFunction("reveal", {type});
    oids.coerce = FindFunction("coerce", {type, INT4OID, BOOLOID});
    oids.from_plain =
        FindFunction(psprintf("to_%s", info.encrypted_type), {plain, INT4OID, BOOLOID});
    oids.comparand = FindFunction("comparand", {type, INT4OID});
    oids.comparand_plain = FindFunction("comparand", {plain, INT4OID});
    oids.veil = FindFunction("veil", {type});
    oids.equal = FindOperator("pg_catalog", "=", type, type);
    oids.not_equal = FindOperator("pg_catalog", "<>", type, type);
    oids.equal_each = FindOperator("rampart", "#==#", type, type);
    oids.sort_less = FindOperator("rampart", "#<#", type, type);
    oids.sort_greater = FindOperator("rampart", "#>#", type, type);
}

// False while the extension is only half there (CREATE EXTENSION is running): nothing to keep then.
bool Read() {
    catalog = Catalog{};
    const Oid schema = get_namespace_oid("rampart", true);
    if (!OidIsValid(schema)) return true;
    catalog.schema = schema;
    catalog.scope_table = get_relname_relid("scope", schema);
    catalog.key_table = get_relname_relid("key", schema);
    catalog.grant_table = get_relname_relid("scope_grant", schema);
    for (const auto& info : types::AllKinds()) ReadKind(info);
    AddEqualities("=", false);
    AddEqualities("<>", true);
    std::sort(catalog.equality.begin(), catalog.equality.begin() + catalog.equality_count,
              [](const auto& a, const auto& b) { return a.op < b.op; });
    catalog.present =
        OidIsValid(catalog.grant_table) &&
        std::all_of(catalog.kinds.begin(), catalog.kinds.end(), [](const auto& oids) {
            return OidIsValid(oids.type) && OidIsValid(oids.veil) && OidIsValid(oids.sort_greater);
        });
    return catalog.present;
}

// Types and operators come and go only with the extension.
void OnTypeChange(Datum, int, uint32 hash) {
    bool ours = !valid || hash == 0 || !catalog.present;
    for (const auto& oids : catalog.kinds) {
        ours = ours || GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(oids.type)) == hash;
    }
    if (ours) {
        valid = false;
        invalidated = true;
    }
}

}  // namespace

const KindOids* Catalog::FindType(Oid type) const {
    for (const auto& oids : kinds) {
        if (oids.type == type) return &oids;
    }
    return nullptr;
}

const KindOids* Catalog::FindElementType(Oid type) const {
    for (const auto& oids : kinds) {
        if (oids.type == type || oids.array_type == type) return &oids;
    }
    return nullptr;
}

const EqualityOperator* Catalog::FindEquality(Oid op) const {
    const auto end = equality.begin() + equality_count;
    const auto found = std::lower_bound(equality.begin(), end, op,
                                        [](const auto& entry, Oid key) { return entry.op < key; });
    return found != end && found->op == op ? &*found : nullptr;
}

const Catalog& Catalog::Current() {
    if (!valid) {
        ++reads;
        invalidated = false;
        const bool complete = Read();
        valid = complete && !invalidated;
    }
    return catalog;
}

const Catalog& Catalog::Peek() { return catalog; }

std::uint64_t Catalog::generation() { return reads; }

void Catalog::RegisterCallbacks() {
    CacheRegisterSyscacheCallback(TYPEOID, OnTypeChange, Datum{0});
}

}  // namespace rampart::pg
