#include <cstring>

#include "pg/audit/audited.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace rampart::pg::audit {
namespace {

// Columns of rampart.audited_table.
enum { kRelation = 1, kRoot, kExclude, kRedact };

struct Known {
    Oid relation;  // the hash key
    bool stale;
    bool complete;  // an error did not end the reading
    MemoryContext memory;
    Audited audited;
};

HTAB* known_relations = nullptr;
Oid settings_table = InvalidOid;

void ForgetAll() {
    if (known_relations == nullptr) return;
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, known_relations);
    while (auto* known = static_cast<Known*>(hash_seq_search(&scan))) known->stale = true;
}

// May arrive in the middle of a trigger: what it uses is marked and replaced by the next call.
void OnRelationChange(Datum, Oid relation) {
    if (known_relations == nullptr) return;
    if (relation == InvalidOid || relation == settings_table) return ForgetAll();
    auto* known = static_cast<Known*>(hash_search(known_relations, &relation, HASH_FIND, nullptr));
    if (known != nullptr) known->stale = true;
}

void OnCatalogChange(Datum, int, uint32) { ForgetAll(); }

struct Settings {
    Oid root;
    ArrayType* exclude;
    ArrayType* redact;
};

Settings ReadRow(HeapTuple row, TupleDesc descriptor) {
    bool null = false;
    return {DatumGetObjectId(heap_getattr(row, kRoot, descriptor, &null)),
            DatumGetArrayTypePCopy(heap_getattr(row, kExclude, descriptor, &null)),
            DatumGetArrayTypePCopy(heap_getattr(row, kRedact, descriptor, &null))};
}

Settings ReadSettings(Oid relation) {
    Settings settings{relation, nullptr, nullptr};
    settings_table = get_relname_relid("audited_table", get_namespace_oid("rampart", false));
    if (!OidIsValid(settings_table)) return settings;
    const Relation table = table_open(settings_table, AccessShareLock);
    const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    ScanKeyData key;
    ScanKeyInit(&key, kRelation, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 1, &key);
    const HeapTuple row = systable_getnext(scan);
    if (HeapTupleIsValid(row)) settings = ReadRow(row, RelationGetDescr(table));
    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    return settings;
}

bool Names(ArrayType* names, const char* column) {
    if (names == nullptr) return false;
    Datum* values = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(names, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values, &nulls, &count);
    for (int i = 0; i < count; ++i) {
        if (!nulls[i] && std::strcmp(NameStr(*DatumGetName(values[i])), column) == 0) return true;
    }
    return false;
}

char* QualifiedName(Oid relation) {
    const char* name = get_rel_name(relation);
    if (name == nullptr) return nullptr;
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

void ReadColumns(Relation relation, const Settings& settings, Audited* audited) {
    const TupleDesc descriptor = RelationGetDescr(relation);
    audited->columns = static_cast<AuditedColumn*>(
        palloc0(sizeof(AuditedColumn) * static_cast<std::size_t>(descriptor->natts + 1)));
    for (int i = 0; i < descriptor->natts; ++i) {
        const Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
        const char* name = NameStr(attribute->attname);
        if (attribute->attisdropped || Names(settings.exclude, name)) continue;
        audited->columns[audited->column_count++] = {i, pstrdup(name), std::strlen(name),
                                                     Names(settings.redact, name),
                                                     PlanOf(attribute->atttypid)};
    }
}

// The primary key, else the index that replication would use.
void ReadKey(Relation relation, Audited* audited) {
    Oid index = RelationGetPrimaryKeyIndex(relation);
    if (!OidIsValid(index)) index = RelationGetReplicaIndex(relation);
    if (!OidIsValid(index)) return;
    const HeapTuple row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(row)) return;
    const auto* form = reinterpret_cast<Form_pg_index>(GETSTRUCT(row));
    audited->key = static_cast<AuditedColumn*>(palloc0(sizeof(AuditedColumn) * INDEX_MAX_KEYS));
    for (int i = 0; i < form->indnkeyatts; ++i) {
        for (int c = 0; c < audited->column_count; ++c) {
            if (audited->columns[c].index == form->indkey.values[i] - 1)
                audited->key[audited->key_count++] = audited->columns[c];
        }
    }
    ReleaseSysCache(row);
}

Jsonb* PartitionMetadata(Oid partition) {
    const char* name = QualifiedName(partition);
    JsonbParseState* state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
    PushKey(&state, "partition", std::strlen("partition"));
    PushString(&state, WJB_VALUE, name, std::strlen(name));
    return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr));
}

Audited ReadAudited(Relation relation) {
    const Oid self = RelationGetRelid(relation);
    const Settings settings = ReadSettings(self);
    Audited audited{};
    audited.root = settings.root;
    audited.relation = QualifiedName(audited.root);
    if (audited.relation == nullptr) {  // the root was dropped, this partition detached before
        audited.root = self;
        audited.relation = QualifiedName(self);
    }
    if (audited.root != self) audited.metadata = PartitionMetadata(self);
    ReadColumns(relation, settings, &audited);
    ReadKey(relation, &audited);
    return audited;
}

Known* Lookup(Oid relation) {
    if (known_relations == nullptr) {
        HASHCTL control{};
        control.keysize = sizeof(Oid);
        control.entrysize = sizeof(Known);
        known_relations =
            hash_create("rampart audited tables", 32, &control, HASH_ELEM | HASH_BLOBS);
    }
    bool found = false;
    auto* known = static_cast<Known*>(hash_search(known_relations, &relation, HASH_ENTER, &found));
    if (!found) {
        known->stale = true;
        known->complete = false;
        known->memory = nullptr;
    }
    return known;
}

}  // namespace

const Audited& AuditedRelation(Relation relation) {
    Known* known = Lookup(RelationGetRelid(relation));
    if (!known->stale && known->complete) return known->audited;
    known->complete = false;
    if (known->memory != nullptr) MemoryContextDelete(known->memory);
    known->memory = nullptr;
    const MemoryContext memory =
        AllocSetContextCreate(CacheMemoryContext, "rampart audited table", ALLOCSET_SMALL_SIZES);
    known->memory = memory;
    const MemoryContext previous = MemoryContextSwitchTo(memory);
    // Before reading: a change that arrives meanwhile marks it again.
    known->stale = false;
    known->audited = ReadAudited(relation);
    known->complete = true;
    MemoryContextSwitchTo(previous);
    return known->audited;
}

void RegisterAuditedCallbacks() {
    CacheRegisterRelcacheCallback(OnRelationChange, Datum{0});
    CacheRegisterSyscacheCallback(NAMESPACEOID, OnCatalogChange, Datum{0});
    CacheRegisterSyscacheCallback(TYPEOID, OnCatalogChange, Datum{0});
}

}  // namespace rampart::pg::audit

// On rampart.audited_table: every session reads the settings anew after the commit.
RAMPART_FUNCTION(rampart_audited_table_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw rampart::Error(rampart::errc::kUnsupported, "this function is a trigger");
    CacheInvalidateRelcache(reinterpret_cast<TriggerData*>(fcinfo->context)->tg_relation);
    return PointerGetDatum(nullptr);
}
