// Drivers convert values by the type a result names, and know nothing of encrypted ones: a boolean
// would arrive as the string 't', a jsonb as text. So the columns of a result that goes to a client
// are given their plain types, where the role may decrypt them; others keep the encrypted type and
// show armour. Done when a statement is analysed, because that is when a client is told its types.
// Setting rampart.plain_results turns it off.
#include <algorithm>

#include "pg/rewrite/results.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/settings.hpp"
#include "pg/types/compare.hpp"
#include "pg/types/kinds.hpp"
#include "typmod.hpp"

extern "C" {
#include "access/xact.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "replication/logicalworker.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::rewrite {
namespace {

post_parse_analyze_hook_type previous_analyze = nullptr;

bool MayDecrypt(std::int32_t typmod) {
    if (typmod < 0) return false;
    const keyring::Scope* scope =
        keyring::Keyring::Current().FindScopeByTag(UnpackModifier(typmod).scope_tag);
    return scope != nullptr && keyring::HasRight(*scope, keyring::kDecrypt);
}

// The columns below an expression that has no modifier of its own: coalesce(born, '2000-01-01').
struct Columns {
    const Catalog& catalog;
    bool any;
    bool all_decrypt;
};

bool LookAtColumns(Node* node, Columns* columns) {
    if (node == nullptr) return false;
    if (IsA(node, Var) && columns->catalog.FindElementType(castNode(Var, node)->vartype)) {
        columns->any = true;
        columns->all_decrypt &= MayDecrypt(castNode(Var, node)->vartypmod);
    }
    auto* walker = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(LookAtColumns));
    return expression_tree_walker(node, walker, columns);
}

bool MayDecryptAll(const Catalog& catalog, Node* expression) {
    const std::int32_t typmod = exprTypmod(expression);
    if (typmod >= 0) return MayDecrypt(typmod);
    Columns columns{catalog, false, true};
    LookAtColumns(expression, &columns);
    return columns.any && columns.all_decrypt;
}

Expr* Reveal(const KindOids& oids, Oid plain, Node* value) {
    const Oid collation = exprCollation(value);
    return reinterpret_cast<Expr*>(makeFuncExpr(oids.reveal, plain, list_make1(value), collation,
                                                collation, COERCE_EXPLICIT_CALL));
}

Expr* RevealEach(const KindOids& oids, Oid plain, Node* array) {
    auto* element = makeNode(CaseTestExpr);
    element->typeId = oids.type;
    element->typeMod = -1;
    element->collation = exprCollation(array);
    auto* coerce = makeNode(ArrayCoerceExpr);
    coerce->arg = reinterpret_cast<Expr*>(array);
    coerce->elemexpr = Reveal(oids, plain, reinterpret_cast<Node*>(element));
    coerce->resulttype = get_array_type(plain);
    coerce->resulttypmod = -1;
    coerce->resultcollid = exprCollation(array);
    coerce->coerceformat = COERCE_IMPLICIT_CAST;
    coerce->location = -1;
    return reinterpret_cast<Expr*>(coerce);
}

Expr* Decrypted(const Catalog& catalog, const KindOids& oids, const Expr* expression) {
    auto* copy = static_cast<Node*>(copyObjectImpl(expression));
    const Oid plain = types::InfoOf(catalog.KindOf(oids)).plain_type;
    return exprType(copy) == oids.type ? Reveal(oids, plain, copy) : RevealEach(oids, plain, copy);
}

// A column that is sorted or grouped by goes on doing so, out of sight.
void HideOriginal(List** targets, TargetEntry* shown) {
    TargetEntry* hidden = makeTargetEntry(
        shown->expr, static_cast<AttrNumber>(list_length(*targets) + 1), nullptr, true);
    hidden->ressortgroupref = shown->ressortgroupref;
    shown->ressortgroupref = 0;
    *targets = lappend(*targets, hidden);
}

void GivePlainTypes(List** targets) {
    const Catalog& catalog = Catalog::Current();
    if (!catalog.present) return;
    for (int i = 0, count = list_length(*targets); i < count; ++i) {
        auto* target = list_nth_node(TargetEntry, *targets, i);
        auto* expression = reinterpret_cast<Node*>(target->expr);
        const KindOids* oids = catalog.FindElementType(exprType(expression));
        if (target->resjunk || oids == nullptr || !MayDecryptAll(catalog, expression)) continue;
        Expr* decrypted = Decrypted(catalog, *oids, target->expr);
        if (target->ressortgroupref != 0) HideOriginal(targets, target);
        target->expr = decrypted;
    }
}

// The query inside a statement whose rows the client gets or would get, or nullptr.
Query* QueryInside(Node* utility) {
    if (IsA(utility, ExplainStmt)) return castNode(Query, castNode(ExplainStmt, utility)->query);
    if (!IsA(utility, DeclareCursorStmt)) return nullptr;
    const auto* declare = castNode(DeclareCursorStmt, utility);
    // Rows that outlive their transaction may wait in a temporary file.
    return (declare->options & CURSOR_OPT_HOLD) != 0 ? nullptr : castNode(Query, declare->query);
}

Query* ClientQuery(Query* query) {
    if (!settings::plain_results || !settings::reveal || !GoesToClient()) return nullptr;
    if (query->commandType == CMD_UTILITY) query = QueryInside(query->utilityStmt);
    if (query == nullptr || query->commandType == CMD_UTILITY) return nullptr;
    return query->setOperations == nullptr ? query : nullptr;
}

// The body of a function, which the planner may be about to inline, sees its parameters as columns.
bool IsFunctionBody(const ParseState* state) {
    return state->p_post_columnref_hook != nullptr || state->p_pre_columnref_hook != nullptr;
}

TimestampTz xml_statement = 0;

bool IsMappingXml() {
    return xml_statement != 0 && xml_statement == GetCurrentStatementStartTimestamp() &&
           ActivePortal != nullptr;
}

void RefuseEncryptedColumns(const Query* query) {
    const Catalog& catalog = Catalog::Current();
    ListCell* cell = nullptr;
    foreach (cell, query->targetList) {
        auto* expression = reinterpret_cast<Node*>(lfirst_node(TargetEntry, cell)->expr);
        if (catalog.present && catalog.FindElementType(exprType(expression)) != nullptr) {
            throw Error(errc::kNotMapped, "a query mapped to XML returns an encrypted column", "",
                        "Cast it to its plain type in the query.");
        }
    }
}

void OnAnalyze(ParseState* state, Query* query, JumbleState* jumble) {
    if (ActivePortal == nullptr) types::NoteSeen();
    if (IsMappingXml() && !IsFunctionBody(state)) Guard([&] { RefuseEncryptedColumns(query); });
    Query* sent = IsFunctionBody(state) ? nullptr : ClientQuery(query);
    if (sent != nullptr) {
        Guard([&] {
            GivePlainTypes(sent->commandType == CMD_SELECT ? &sent->targetList
                                                           : &sent->returningList);
        });
    }
    if (previous_analyze != nullptr) previous_analyze(state, query, jumble);
}

}  // namespace

// What is analysed and planned before a portal runs it, or for PREPARE, EXECUTE and DECLARE CURSOR.
// Everything else (CREATE TABLE AS, views, REFRESH, COPY, functions) may be stored.
bool GoesToClient() {
    // Deferred triggers run after the portal is gone; the apply worker has none.
    const bool in_trigger = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, Datum{0})) > 0;
    if (in_trigger || IsLogicalWorker()) return false;
    if (ActivePortal == nullptr) return true;
    const CommandTag tag = ActivePortal->commandTag;
    return tag == CMDTAG_PREPARE || tag == CMDTAG_EXECUTE || tag == CMDTAG_DECLARE_CURSOR;
}

void NoteXmlMapping() { xml_statement = GetCurrentStatementStartTimestamp(); }

bool IsRevealed(const Catalog& catalog, const Expr* expression) {
    if (IsA(expression, ArrayCoerceExpr))
        return IsRevealed(catalog, reinterpret_cast<const ArrayCoerceExpr*>(expression)->elemexpr);
    if (!IsA(expression, FuncExpr)) return false;
    const Oid function = reinterpret_cast<const FuncExpr*>(expression)->funcid;
    return std::any_of(catalog.kinds.begin(), catalog.kinds.end(),
                       [&](const KindOids& oids) { return oids.reveal == function; });
}

void InstallResultsHook() {
    previous_analyze = post_parse_analyze_hook;
    post_parse_analyze_hook = OnAnalyze;
}

}  // namespace rampart::pg::rewrite
