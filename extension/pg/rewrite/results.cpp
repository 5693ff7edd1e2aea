// Drivers convert values by the type a result names, and know nothing of encrypted ones: a boolean
// would arrive as the string 't', a jsonb as text. So the columns of a result that goes to a client
// are given their plain types, where the role may decrypt them; others keep the encrypted type and
// show armour. Done when a statement is analysed, because that is when a client is told its types.
// Setting rampart.plain_results turns it off.
#include "pg/rewrite/results.hpp"

#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/settings.hpp"
#include "pg/types/compare.hpp"
#include "pg/types/kinds.hpp"
#include "typmod.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "utils/portal.h"
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

Expr* Decrypted(const Catalog& catalog, const KindOids& oids, Expr* expression) {
    const Oid collation = exprCollation(reinterpret_cast<Node*>(expression));
    return reinterpret_cast<Expr*>(makeFuncExpr(
        oids.to_plain, types::InfoOf(catalog.KindOf(oids)).plain_type,
        list_make1(copyObjectImpl(expression)), collation, collation, COERCE_IMPLICIT_CAST));
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
        const KindOids* oids = target->resjunk ? nullptr : catalog.FindType(exprType(expression));
        if (oids == nullptr || !MayDecrypt(exprTypmod(expression))) continue;
        Expr* decrypted = Decrypted(catalog, *oids, target->expr);
        if (target->ressortgroupref != 0) HideOriginal(targets, target);
        target->expr = decrypted;
    }
}

// The query whose rows the client gets, or nullptr.
Query* ClientQuery(Query* query) {
    if (!settings::plain_results || !settings::reveal || !GoesToClient()) return nullptr;
    if (query->commandType == CMD_UTILITY) {
        if (!IsA(query->utilityStmt, DeclareCursorStmt)) return nullptr;
        query = castNode(Query, castNode(DeclareCursorStmt, query->utilityStmt)->query);
    }
    return query->setOperations == nullptr ? query : nullptr;
}

// The body of a function, which the planner may be about to inline, sees its parameters as columns.
bool IsFunctionBody(const ParseState* state) {
    return state->p_post_columnref_hook != nullptr || state->p_pre_columnref_hook != nullptr;
}

void OnAnalyze(ParseState* state, Query* query, JumbleState* jumble) {
    if (ActivePortal == nullptr) types::NoteSeen();
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
    if (ActivePortal == nullptr) return true;
    const CommandTag tag = ActivePortal->commandTag;
    return tag == CMDTAG_PREPARE || tag == CMDTAG_EXECUTE || tag == CMDTAG_DECLARE_CURSOR;
}

void InstallResultsHook() {
    previous_analyze = post_parse_analyze_hook;
    post_parse_analyze_hook = OnAnalyze;
}

}  // namespace rampart::pg::rewrite
