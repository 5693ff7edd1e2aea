#include <cstring>
#include <string>

#include "pg/postgres.hpp"

#include "pg/rotation/column.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace rampart::pg::rotation {
namespace {

const FormData_pg_attribute* Attribute(Relation relation, const char* name) {
    const TupleDesc descriptor = RelationGetDescr(relation);
    for (int i = 0; i < descriptor->natts; ++i) {
        const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, i);
        if (!attribute->attisdropped && std::strcmp(NameStr(attribute->attname), name) == 0)
            return attribute;
    }
    throw Error(errc::kUndefinedColumn, "column \"" + std::string(name) + "\" of \"" +
                                            RelationGetRelationName(relation) +
                                            "\" does not exist");
}

[[noreturn]] void ThrowWrongType(Relation relation, const char* name, const char* why) {
    throw Error(errc::kDatatypeMismatch, "column \"" + std::string(name) + "\" of \"" +
                                             RelationGetRelationName(relation) + "\" " + why);
}

// The source column's value as the encrypted type's plain type, cast as in an assignment.
ExprState* OpenSource(Relation relation, const ColumnTask& task, Oid type, EState* state) {
    const FormData_pg_attribute* source = Attribute(relation, task.source);
    const KindOids* kind = Catalog::Current().FindType(type);
    if (kind == nullptr) ThrowWrongType(relation, task.name, "is not encrypted");
    Var* variable =
        makeVar(1, source->attnum, source->atttypid, source->atttypmod, source->attcollation, 0);
    const Oid plain = types::InfoOf(Catalog::Current().KindOf(*kind)).plain_type;
    Node* expression =
        coerce_to_target_type(nullptr, reinterpret_cast<Node*>(variable), source->atttypid, plain,
                              -1, COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
    if (expression == nullptr) ThrowWrongType(relation, task.source, "has no cast to the new type");
    return ExecPrepareExpr(reinterpret_cast<Expr*>(expression), state);
}

Refreshed Fill(const Column& column, TupleTableSlot* row, ExprContext* context) {
    bool null = false;
    const Datum current = slot_getattr(row, column.number, &null);
    if (!null) {
        ++column.task->tally.seen;
        return {current, false};
    }
    const Refreshed sealed = SealSource(column, row, context);
    if (sealed.changed) {
        ++column.task->tally.seen;
        ++column.task->tally.done;
    }
    return sealed;
}

struct Leaf {
    std::uint32_t scope_tag;
    Tally* tally;
};

Refreshed RefreshLeaf(void* context, Datum value) {
    const Leaf& leaf = *static_cast<const Leaf*>(context);
    return Refresh(leaf.scope_tag, value, {}, leaf.tally);
}

// NULL where the row has no aad: as it was when rampart.encrypt was called with NULL.
ByteView AadOf(const Column& column, TupleTableSlot* row) {
    StringInfoData aad;
    initStringInfo(&aad);
    if (column.task->aad_prefix != nullptr) appendStringInfoString(&aad, column.task->aad_prefix);
    if (column.aad_number != 0) {
        bool null = false;
        const Datum value = slot_getattr(row, column.aad_number, &null);
        if (null) return {};
        FmgrInfo output = column.aad_output;
        appendStringInfoString(&aad, OutputFunctionCall(&output, value));
    }
    return AsBytes({aad.data, static_cast<std::size_t>(aad.len)});
}

}  // namespace

void OpenColumn(Column* column, ColumnTask* task, Relation relation, EState* state) {
    const FormData_pg_attribute* attribute = Attribute(relation, task->name);
    *column = {};
    column->task = task;
    column->number = attribute->attnum;
    column->type = attribute->atttypid;
    column->modifier = attribute->atttypmod;
    column->registered = attribute->atttypid == BYTEAOID;
    if (task->source != nullptr)
        column->source = OpenSource(relation, *task, attribute->atttypid, state);
    if (task->aad_column != nullptr) {
        const FormData_pg_attribute* aad = Attribute(relation, task->aad_column);
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(aad->atttypid, &output, &is_varlena);
        fmgr_info_cxt(output, &column->aad_output, state->es_query_cxt);
        column->aad_number = aad->attnum;
    }
}

Refreshed SealSource(const Column& column, TupleTableSlot* row, ExprContext* context) {
    context->ecxt_scantuple = row;
    bool null = false;
    const Datum plain = ExecEvalExpr(column.source, context, &null);
    if (null) return {Datum{0}, false};
    const Catalog& catalog = Catalog::Current();
    const Kind kind = catalog.KindOf(*catalog.FindType(column.type));
    types::Scratch scratch;
    const ByteView plaintext = types::Encode(types::InfoOf(kind), plain, &scratch);
    const Modifier modifier = UnpackModifier(column.modifier);
    keyring::Keyring& keyring = keyring::Keyring::Current();
    return {PointerGetDatum(types::NewSealed(keyring, keyring.ScopeTagged(modifier.scope_tag),
                                             modifier.mode, kind, plaintext)),
            true};
}

Refreshed NewValue(const Column& column, std::uint32_t scope_tag, TupleTableSlot* row,
                   ExprContext* context) {
    if (column.source != nullptr) return Fill(column, row, context);
    bool null = false;
    const Datum value = slot_getattr(row, column.number, &null);
    if (null) return {Datum{0}, false};
    Tally* tally = &column.task->tally;
    if (column.registered) return Refresh(scope_tag, value, AadOf(column, row), tally);
    Leaf leaf{scope_tag, tally};
    return VisitLeaves(column.type, value, RefreshLeaf, &leaf);
}

}  // namespace rampart::pg::rotation
