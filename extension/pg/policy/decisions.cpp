// rampart.enforce and enforce_explain.
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/policy/denials.hpp"
#include "pg/policy/explanation.hpp"
#include "pg/policy/models.hpp"
#include "pg/policy/request.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/jsonb.h"
}

namespace rampart::pg::policy {
namespace {

// Arguments are fetched before anything that has a destructor is made.
template <typename Answer>
auto AskTexts(FunctionCallInfo fcinfo, const Answer& answer) {
    const std::string_view model = functions::TextArgument(fcinfo, 0);
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(1);
    const core::PolicySet& set = ModelNamed(model);
    const TextRequest request(array);
    return answer(set, core::Request{request.values(), Now()}, request.has_null());
}

template <typename Answer>
auto AskJson(FunctionCallInfo fcinfo, const Answer& answer) {
    const std::string_view model = functions::TextArgument(fcinfo, 0);
    Jsonb* json = PG_GETARG_JSONB_P(1);
    const std::string_view matcher = functions::TextArgument(fcinfo, 2);
    const core::PolicySet& set = ModelNamed(model);
    const JsonRequest request(set, matcher, json);
    return answer(set, core::Request{request.values(), Now(), matcher}, false);
}

bool Decide(const core::PolicySet& set, const core::Request& request, bool has_null) {
    return !has_null && set.Decide(request);
}

bool EnforceTexts(FunctionCallInfo fcinfo) {
    const bool allowed = AskTexts(fcinfo, Decide);
    if (allowed || !settings::audit_denials) return allowed;
    std::string_view request[kMaxRuleValues];
    const std::size_t count = TextsOf(PG_GETARG_ARRAYTYPE_P(1), request).value_or(0);
    NoteDenial(functions::TextArgument(fcinfo, 0), {request, count});
    return false;
}

bool EnforceJson(FunctionCallInfo fcinfo) {
    const bool allowed = AskJson(fcinfo, Decide);
    if (allowed || !settings::audit_denials) return allowed;
    Jsonb* json = PG_GETARG_JSONB_P(1);
    const std::string_view request = JsonbToCString(nullptr, &json->root, VARSIZE(json));
    NoteDenial(functions::TextArgument(fcinfo, 0), {&request, 1});
    return false;
}

Datum Explain(const core::PolicySet& set, const core::Request& request, bool has_null) {
    return ToJsonb(has_null ? core::Explanation{} : set.Explain(request));
}

}  // namespace
}  // namespace rampart::pg::policy

namespace policy = rampart::pg::policy;

RAMPART_FUNCTION(rampart_enforce) { PG_RETURN_BOOL(policy::EnforceTexts(fcinfo)); }
RAMPART_FUNCTION(rampart_enforce_json) { PG_RETURN_BOOL(policy::EnforceJson(fcinfo)); }
RAMPART_FUNCTION(rampart_explain) { return policy::AskTexts(fcinfo, policy::Explain); }
RAMPART_FUNCTION(rampart_explain_json) { return policy::AskJson(fcinfo, policy::Explain); }
