// rampart.allowed: whether the principal may do something to a row, by the model "rampart". What
// its roles may do is decided once for each principal and state of the policy; a row then costs two
// comparisons.
#include <array>
#include <string>
#include <vector>

#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/policy/denials.hpp"
#include "pg/policy/models.hpp"
#include "pg/policy/request.hpp"
#include "pg/principal/principal.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::policy {
namespace {

constexpr char kModel[] = "rampart";
constexpr char kPlatformRole[] = "SUPER_ADMIN";
constexpr char kApiRole[] = "API";
constexpr std::size_t kMaxVerdicts = 64;

struct Verdict {
    std::string resource;
    std::string action;
    bool all;  // to every row of the organisation
    bool own;  // to the subject's own
};

// Of one principal under one state of the policy.
struct Verdicts {
    std::uint64_t principal = 0;
    std::uint64_t models = 0;
    bool on_platform = false;  // in every organisation
    std::vector<Verdict> known;
};
Verdicts verdicts;

bool HasScope(const Principal& claims, std::string_view resource, std::string_view action) {
    for (const std::string_view scope : claims.scopes) {
        const std::size_t colon = scope.find(':');
        if (colon == std::string_view::npos || scope.substr(0, colon) != resource) continue;
        if (scope.substr(colon + 1) == action || scope.substr(colon + 1) == "*") return true;
    }
    return false;
}

// Those of the teams add to the subject's. An API key has one, and its scopes narrow it.
std::vector<std::string> RolesOf(const Principal& claims) {
    if (claims.api_key) return {kApiRole};
    std::vector<std::string> roles = claims.roles;
    for (const std::string& team : claims.teams) roles.push_back("team:" + team);
    return roles;
}

Verdict Decide(const Principal& claims, std::string_view resource, std::string_view action) {
    const core::PolicySet& set = ModelNamed(kModel);  // before there is anything to destroy
    Verdict verdict{std::string(resource), std::string(action), false, false};
    if (claims.api_key && !HasScope(claims, resource, action)) return verdict;
    for (const std::string& role : RolesOf(claims)) {
        const auto decide = [&](std::string_view whose) {
            const std::array<core::ValueView, 4> values = {
                core::ValueView(role), core::ValueView(resource), core::ValueView(action),
                core::ValueView(whose)};
            return set.Decide({values, Now()});
        };
        verdict.all = verdict.all || decide("all");
        verdict.own = verdict.own || verdict.all || decide("own");
    }
    return verdict;
}

void ForgetIfChanged(const Principal& claims) {
    const std::uint64_t models = ModelsGeneration();
    const std::uint64_t principal = PrincipalGeneration();
    if (verdicts.models == models && verdicts.principal == principal) return;
    verdicts = {principal, models, false, {}};
    for (const std::string& role : claims.roles) {
        verdicts.on_platform = verdicts.on_platform || (role == kPlatformRole && !claims.api_key);
    }
}

const Verdict& VerdictOn(const Principal& claims, std::string_view resource,
                         std::string_view action) {
    for (const Verdict& verdict : verdicts.known) {
        if (verdict.resource == resource && verdict.action == action) return verdict;
    }
    if (verdicts.known.size() == kMaxVerdicts) verdicts.known.clear();
    verdicts.known.push_back(Decide(claims, resource, action));
    if (!verdicts.known.back().own) {
        const std::string_view request[] = {claims.subject, resource, action};
        NoteDenial(kModel, request);
    }
    return verdicts.known.back();
}

// How the organisation and the owner, of any type, become text; per call site.
struct Conversions {
    bool is_text[2];
    FmgrInfo output[2];
};

constexpr int kFirstOfAnyType = 2;

const Conversions& ConversionsOf(FunctionCallInfo fcinfo) {
    auto* found = static_cast<Conversions*>(fcinfo->flinfo->fn_extra);
    if (found != nullptr) return *found;
    auto* made = static_cast<Conversions*>(
        MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Conversions)));
    for (int i = kFirstOfAnyType; i < PG_NARGS(); ++i) {
        const Oid type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, i));
        made->is_text[i - kFirstOfAnyType] = type == TEXTOID || type == VARCHAROID;
        Oid function = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(type, &function, &is_varlena);
        fmgr_info_cxt(function, &made->output[i - kFirstOfAnyType], fcinfo->flinfo->fn_mcxt);
    }
    fcinfo->flinfo->fn_extra = made;
    return *made;
}

// False for a NULL, and for an argument that was left out.
bool Is(FunctionCallInfo fcinfo, int number, const std::string& name) {
    if (number >= PG_NARGS() || PG_ARGISNULL(number) || name.empty()) return false;
    const Conversions& conversions = ConversionsOf(fcinfo);
    const int index = number - kFirstOfAnyType;
    if (conversions.is_text[index]) return functions::TextArgument(fcinfo, number) == name;
    auto* output = const_cast<FmgrInfo*>(&conversions.output[index]);
    return OutputFunctionCall(output, PG_GETARG_DATUM(number)) == name;
}

// (resource, action[, organisation[, owner]])
bool Allowed(FunctionCallInfo fcinfo) {
    const Principal* claims = CurrentPrincipal();
    if (claims == nullptr || PG_ARGISNULL(0) || PG_ARGISNULL(1)) return false;
    const std::string_view resource = functions::TextArgument(fcinfo, 0);
    const std::string_view action = functions::TextArgument(fcinfo, 1);
    ForgetIfChanged(*claims);
    const Verdict& verdict = VerdictOn(*claims, resource, action);
    if (!verdict.own) return false;
    if (PG_NARGS() == kFirstOfAnyType)
        return verdict.all && (verdicts.on_platform || !claims->organisation.empty());
    if (verdict.all && verdicts.on_platform) return true;
    return Is(fcinfo, kFirstOfAnyType, claims->organisation) &&
           (verdict.all || Is(fcinfo, kFirstOfAnyType + 1, claims->subject));
}

}  // namespace
}  // namespace rampart::pg::policy

RAMPART_FUNCTION(rampart_allowed) { PG_RETURN_BOOL(rampart::pg::policy::Allowed(fcinfo)); }
