#include "pg/audit/context.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/principal/principal.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
}

namespace rampart::pg::audit {
namespace {

// One for each savepoint that a context was set under; in the transaction's memory.
struct Level {
    Context context;
    int nesting;
    Level* outer;
};

constexpr Context kNone{};
Level* innermost = nullptr;

// It stands in every entry, and goes through a queue of bounded size.
constexpr std::size_t kMaxLength = 4096;

const char* CopyText(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number)) return nullptr;
    const text* value = PG_GETARG_TEXT_PP(number);
    if (VARSIZE_ANY_EXHDR(value) > kMaxLength)
        throw Error(errc::kLimitExceeded, "a field of the context has at most 4 kB");
    return text_to_cstring(value);
}

Context FromArguments(FunctionCallInfo fcinfo) {
    return {CopyText(fcinfo, 0), CopyText(fcinfo, 1),
            PG_ARGISNULL(2) ? Datum{0} : datumCopy(PG_GETARG_DATUM(2), false, -1),
            CopyText(fcinfo, 3), CopyText(fcinfo, 4)};
}

void SetContext(FunctionCallInfo fcinfo) {
    const int nesting = GetCurrentTransactionNestLevel();
    const MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    const Context context = FromArguments(fcinfo);
    if (innermost == nullptr || innermost->nesting < nesting) {
        auto* level = static_cast<Level*>(palloc0(sizeof(Level)));
        level->nesting = nesting;
        level->outer = innermost;
        level->context = context;
        innermost = level;
    } else {
        innermost->context = context;
    }
    MemoryContextSwitchTo(previous);
}

void OnTransaction(XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
        innermost = nullptr;
}

// A savepoint that is released hands its context to what is around it.
void OnSubtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    const int nesting = GetCurrentTransactionNestLevel();
    if (innermost == nullptr || innermost->nesting < nesting) return;
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        innermost = innermost->outer;
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        innermost->nesting = nesting - 1;
        if (innermost->outer != nullptr && innermost->outer->nesting == nesting - 1)
            innermost->outer = innermost->outer->outer;
    }
}

}  // namespace

const Context& CurrentContext() {
    static Context of_principal;
    const Context& context = innermost != nullptr ? innermost->context : kNone;
    if (context.actor != nullptr || context.org != nullptr) return context;
    const Principal* principal = CurrentPrincipal();
    if (principal == nullptr) return context;
    of_principal = context;
    of_principal.actor = principal->subject.c_str();
    if (!principal->organisation.empty()) of_principal.org = principal->organisation.c_str();
    return of_principal;
}

void RegisterContextCallbacks() {
    RegisterXactCallback(OnTransaction, nullptr);
    RegisterSubXactCallback(OnSubtransaction, nullptr);
}

}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_set_context) {
    rampart::pg::audit::SetContext(fcinfo);
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_context_org) {
    const char* org = rampart::pg::audit::CurrentContext().org;
    if (org == nullptr) PG_RETURN_NULL();
    return CStringGetTextDatum(org);
}
