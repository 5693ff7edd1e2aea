#include "pg/rewrite/rewrite.hpp"

#include "error.hpp"
#include "pg/types/kinds.hpp"
#include "pg/types/value.hpp"
#include "typmod.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::rewrite {
namespace {

Node* AsNode(void* node) { return static_cast<Node*>(node); }

// A column's modifier, also one that its domain has.
std::int32_t ModifierOf(Node* node, Oid type) {
    if (exprType(node) != type) return -1;
    const std::int32_t typmod = exprTypmod(node);
    if (typmod >= 0 || !IsA(node, RelabelType)) return typmod;
    std::int32_t of_domain = -1;
    getBaseTypeAndTypmod(exprType(AsNode(castNode(RelabelType, node)->arg)), &of_domain);
    return of_domain;
}

Node* MakeInt4(std::int32_t number) {
    return AsNode(makeConst(INT4OID, -1, InvalidOid, sizeof(std::int32_t), Int32GetDatum(number),
                            false, true));
}

// A parameter whose value is known for this plan is that value.
Node* ResolveParameter(Node* node, const Rewrite& rewrite) {
    if (!IsA(node, Param) || rewrite.parameters == nullptr) return node;
    const auto* param = castNode(Param, node);
    if (param->paramkind != PARAM_EXTERN || param->paramid <= 0 ||
        param->paramid > rewrite.parameters->numParams) {
        return node;
    }
    ParamExternData workspace;
    const ParamExternData* value =
        rewrite.parameters->paramFetch != nullptr
            ? rewrite.parameters->paramFetch(rewrite.parameters, param->paramid, true, &workspace)
            : &rewrite.parameters->params[param->paramid - 1];
    if (value->ptype != param->paramtype || (value->pflags & PARAM_FLAG_CONST) == 0) return node;
    std::int16_t length = 0;
    bool by_value = false;
    get_typlenbyval(param->paramtype, &length, &by_value);
    const Datum copy = value->isnull ? value->value : datumCopy(value->value, by_value, length);
    return AsNode(makeConst(param->paramtype, param->paramtypmod, param->paramcollid, length, copy,
                            value->isnull, by_value));
}

// `'x'::enc_text(pii, deterministic)` beside a column of that modifier is `'x'` beside it. A column
// that is cast to another modifier is what the cast makes of it.
Node* StripCoercion(Node* node, const KindOids& oids) {
    if (!IsA(node, FuncExpr)) return node;
    const auto* call = castNode(FuncExpr, node);
    if (call->funcid != oids.coerce && call->funcid != oids.from_plain) return node;
    Node* inner = AsNode(linitial(call->args));
    return ModifierOf(inner, oids.type) >= 0 ? node : inner;
}

bool IsConstant(const Node* node) {
    if (IsA(node, Const)) return true;
    if (!IsA(node, ArrayExpr)) return false;
    ListCell* cell = nullptr;
    foreach (cell, reinterpret_cast<const ArrayExpr*>(node)->elements) {
        if (!IsA(lfirst(cell), Const)) return false;
    }
    return true;
}

// An int4 beside an enc_int8 is compared as an int8.
Node* ToPlainType(Node* node, Oid plain) {
    const Oid type = exprType(node);
    if (type == plain) return node;
    Node* coerced = coerce_to_target_type(nullptr, node, type, plain, -1, COERCION_EXPLICIT,
                                          COERCE_IMPLICIT_CAST, -1);
    return coerced == nullptr ? node : eval_const_expressions(nullptr, coerced);
}

Expr* MakeComparand(Oid function, Node* side, const KindOids& oids, std::int32_t typmod) {
    return reinterpret_cast<Expr*>(makeFuncExpr(function, oids.type,
                                                list_make2(side, MakeInt4(typmod)), InvalidOid,
                                                InvalidOid, COERCE_EXPLICIT_CALL));
}

bool IsComparand(const Node* node, const KindOids& oids) {
    if (!IsA(node, FuncExpr)) return false;
    const Oid function = reinterpret_cast<const FuncExpr*>(node)->funcid;
    return function == oids.comparand || function == oids.comparand_plain;
}

// What holds only constants is evaluated now, so that no literal stands in the plan but its token.
// The right to it is asked for at each execution; what is evaluated later asks by itself.
void NoteToken(Rewrite& rewrite, std::int32_t typmod) {
    rewrite.compared_scopes = list_append_unique_int(
        rewrite.compared_scopes, static_cast<int>(UnpackModifier(typmod).scope_tag));
}

// Ciphertext that is compared as it is, as foreign keys do: nothing to evaluate and no right to ask
// for.
bool IsSealed(const Node* node, const KindOids& oids) {
    if (!IsA(node, Const)) return false;
    const auto* constant = reinterpret_cast<const Const*>(node);
    return constant->consttype == oids.type &&
           types::IdentifyDatum(constant->constvalue).form != types::Form::kHeld;
}

Node* ScalarComparand(Rewrite& rewrite, Node* node, const KindOids& oids, std::int32_t typmod) {
    node = ResolveParameter(StripCoercion(node, oids), rewrite);
    if (IsA(node, Const) && castNode(Const, node)->constisnull)
        return AsNode(makeNullConst(oids.type, typmod, InvalidOid));
    if (exprType(node) != oids.type) {
        const Kind kind = rewrite.catalog.KindOf(oids);
        node = ToPlainType(node, types::InfoOf(kind).plain_type);
    }
    const Oid function = exprType(node) == oids.type ? oids.comparand : oids.comparand_plain;
    if (!IsA(node, Const) || IsSealed(node, oids))
        return AsNode(MakeComparand(function, node, oids, typmod));
    NoteToken(rewrite, typmod);
    const Datum token =
        OidFunctionCall2(function, castNode(Const, node)->constvalue, Int32GetDatum(typmod));
    return AsNode(makeConst(oids.type, -1, InvalidOid, -1, token, false, false));
}

// The same for each element of an array.
Node* ArrayComparand(Rewrite& rewrite, Node* node, const KindOids& oids, std::int32_t typmod) {
    node = ResolveParameter(node, rewrite);
    if (exprType(node) != oids.array_type) {
        const Kind kind = rewrite.catalog.KindOf(oids);
        node = ToPlainType(node, get_array_type(types::InfoOf(kind).plain_type));
    }
    const Oid element = get_base_element_type(exprType(node));
    auto* each = makeNode(CaseTestExpr);
    each->typeId = element;
    each->typeMod = -1;
    each->collation = get_typcollation(element);
    auto* coerce = makeNode(ArrayCoerceExpr);
    coerce->arg = reinterpret_cast<Expr*>(node);
    const Oid function = element == oids.type ? oids.comparand : oids.comparand_plain;
    coerce->elemexpr = MakeComparand(function, AsNode(each), oids, typmod);
    coerce->resulttype = oids.array_type;
    coerce->resulttypmod = -1;
    coerce->coerceformat = COERCE_IMPLICIT_CAST;
    coerce->location = -1;
    if (!IsConstant(node)) return AsNode(coerce);
    NoteToken(rewrite, typmod);
    return AsNode(evaluate_expr(reinterpret_cast<Expr*>(coerce), oids.array_type, -1, InvalidOid));
}

bool IsDeterministic(std::int32_t typmod) {
    return UnpackModifier(typmod).mode == Mode::kDeterministic;
}

void RequireDeterministic(std::int32_t typmod) {
    if (typmod < 0 || IsDeterministic(typmod)) return;
    throw Error(errc::kNotComparable, "a randomised column cannot be compared", "",
                "Declare it deterministic, or cast it to its plain type: col::text = '...'.");
}

void RequireSameModifier(std::int32_t left, std::int32_t right) {
    if (left == right) return;
    throw Error(errc::kScopesDiffer, "columns of different scopes cannot be compared", "",
                "Cast both to their plain type.");
}

// The side without a modifier comes under the other's. If both have one, a cast that the user wrote
// out would still keep an index from being used.
void RewriteSides(Rewrite& rewrite, const KindOids& oids, Node** left, Node** right) {
    const std::int32_t left_typmod = ModifierOf(*left, oids.type);
    const std::int32_t right_typmod = ModifierOf(*right, oids.type);
    RequireDeterministic(left_typmod);
    RequireDeterministic(right_typmod);
    const bool both = left_typmod >= 0 && right_typmod >= 0;
    if (both) RequireSameModifier(left_typmod, right_typmod);
    if (left_typmod >= 0 && (!both || StripCoercion(*right, oids) != *right)) {
        *right = ScalarComparand(rewrite, *right, oids, left_typmod);
    } else if (right_typmod >= 0 && (!both || StripCoercion(*left, oids) != *left)) {
        *left = ScalarComparand(rewrite, *left, oids, right_typmod);
    }
}

// tags = '{...}', tags && '{...}', tags @> '{...}', tags <@ '{...}'
void RewriteArrays(Rewrite& rewrite, OpExpr* expression) {
    switch (expression->opfuncid) {
        case F_ARRAY_EQ:
        case F_ARRAY_NE:
        case F_ARRAYOVERLAP:
        case F_ARRAYCONTAINS:
        case F_ARRAYCONTAINED:
            break;
        default:
            return;
    }
    Node* left = AsNode(linitial(expression->args));
    Node* right = AsNode(lsecond(expression->args));
    const KindOids* oids = rewrite.catalog.FindElementType(exprType(left));
    if (oids == nullptr || exprType(right) != oids->array_type) return;
    const std::int32_t left_typmod = exprTypmod(left);
    const std::int32_t right_typmod = exprTypmod(right);
    if (left_typmod >= 0 && right_typmod < 0 && IsDeterministic(left_typmod)) {
        right = ArrayComparand(rewrite, right, *oids, left_typmod);
    } else if (right_typmod >= 0 && left_typmod < 0 && IsDeterministic(right_typmod)) {
        left = ArrayComparand(rewrite, left, *oids, right_typmod);
    }
    expression->args = list_make2(left, right);
}

}  // namespace

void RewriteOperator(Rewrite& rewrite, OpExpr* expression) {
    const EqualityOperator* entry = rewrite.catalog.FindEquality(expression->opno);
    if (entry == nullptr) {
        RewriteArrays(rewrite, expression);
        return;
    }
    const KindOids& oids = rewrite.catalog.of(entry->kind);
    Node* left = AsNode(linitial(expression->args));
    Node* right = AsNode(lsecond(expression->args));
    // NULLIF returns its first argument, which therefore stays what it is.
    if (IsA(expression, NullIfExpr) && ModifierOf(left, oids.type) < 0) return;
    RewriteSides(rewrite, oids, &left, &right);
    expression->args = list_make2(left, right);
    if (exprType(left) != oids.type || exprType(right) != oids.type) return;
    // Both scopes known by value only: no hashing, which would never let two of them meet.
    const bool join = !entry->negated && ModifierOf(left, oids.type) < 0 &&
                      ModifierOf(right, oids.type) < 0 && !IsComparand(left, oids) &&
                      !IsComparand(right, oids) && contain_var_clause(left) &&
                      contain_var_clause(right);
    expression->opno = entry->negated ? oids.not_equal : join ? oids.equal_each : oids.equal;
    expression->opfuncid = InvalidOid;
    set_opfuncid(expression);
}

void RewriteArrayOperator(Rewrite& rewrite, ScalarArrayOpExpr* expression) {
    const EqualityOperator* entry = rewrite.catalog.FindEquality(expression->opno);
    if (entry == nullptr) return;
    const KindOids& oids = rewrite.catalog.of(entry->kind);
    Node* scalar = AsNode(linitial(expression->args));
    Node* array = AsNode(lsecond(expression->args));
    const std::int32_t scalar_typmod = ModifierOf(scalar, oids.type);
    const std::int32_t array_typmod = ModifierOf(array, oids.array_type);
    RequireDeterministic(scalar_typmod);
    RequireDeterministic(array_typmod);
    if (scalar_typmod >= 0 && array_typmod >= 0) {
        RequireSameModifier(scalar_typmod, array_typmod);
    } else if (scalar_typmod >= 0) {
        array = ArrayComparand(rewrite, array, oids, scalar_typmod);
    } else if (array_typmod >= 0) {
        scalar = ScalarComparand(rewrite, scalar, oids, array_typmod);
    }
    expression->args = list_make2(scalar, array);
    if (exprType(scalar) != oids.type || exprType(array) != oids.array_type) return;
    expression->opno = entry->negated ? oids.not_equal : oids.equal;
    expression->opfuncid = expression->hashfuncid = expression->negfuncid = InvalidOid;
    set_sa_opfuncid(expression);
}

}  // namespace rampart::pg::rewrite
