// Rows of the extension's tables as they are now: what has committed, and what this transaction has
// written. The transaction's snapshot would keep a right that was revoked since; the latest one is
// not to be had in a parallel worker; the catalog's is.
#pragma once

#include <string>
#include <string_view>

#include "error.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg {

// A table of schema rampart; InvalidOid where there is none.
inline Oid OwnTable(const char* name) {
    const Oid schema = get_namespace_oid("rampart", true);
    return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

// To be unregistered (UnregisterSnapshot). REQUIRES: a lock on the table.
inline Snapshot TakeCommitted(Oid table) { return RegisterSnapshot(GetCatalogSnapshot(table)); }

// Visits, in the index's order, the rows whose first index column, a text, is `key`. Needs no right
// on the table.
template <typename Visit>
void ScanCommitted(Snapshot snapshot, Oid table, const char* index_name, std::string_view key,
                   const Visit& visit) {
    const Relation relation = table_open(table, AccessShareLock);
    const Oid index_id = get_relname_relid(index_name, RelationGetNamespace(relation));
    if (!OidIsValid(index_id))
        throw Error(errc::kInternal, std::string("there is no index ") + index_name);
    const Relation index = index_open(index_id, AccessShareLock);
    ScanKeyData wanted;
    ScanKeyInit(
        &wanted, 1, BTEqualStrategyNumber, F_TEXTEQ,
        PointerGetDatum(cstring_to_text_with_len(key.data(), static_cast<int>(key.size()))));
    wanted.sk_collation = DEFAULT_COLLATION_OID;
    const SysScanDesc scan = systable_beginscan_ordered(relation, index, snapshot, 1, &wanted);
    while (HeapTuple tuple = systable_getnext_ordered(scan, ForwardScanDirection)) {
        CHECK_FOR_INTERRUPTS();
        visit(tuple, RelationGetDescr(relation));
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    table_close(relation, AccessShareLock);
}

}  // namespace rampart::pg
