#include "pg/principal/principal.hpp"

#include <optional>
#include <utility>

#include "error.hpp"
#include "pg/audit/context.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/principal/verify.hpp"

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
}

namespace rampart::pg::principal {
namespace {

constexpr char kSetting[] = "rampart.principal";

char* setting = nullptr;
bool allowed_to_set = false;
std::uint64_t generation = 1;
std::uint64_t parsed_generation = 0;
std::optional<token::Claims> parsed;

// A parallel worker takes over what its leader has. Nobody may be less than somebody.
bool CheckSetting(char** value, void**, GucSource) {
    if (allowed_to_set || InitializingParallelWorker || **value == '\0') return true;
    GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
    GUC_check_errmsg("\"%s\" cannot be set", kSetting);
    GUC_check_errhint("rampart.set_principal sets it.");
    return false;
}

void AssignSetting(const char*, void*) { ++generation; }

void Set(const char* claims) {
    allowed_to_set = true;
    try {
        Call([&] {
            return set_config_option(kSetting, claims, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                                     true, 0, false);
        });
    } catch (...) {
        allowed_to_set = false;
        throw;
    }
    allowed_to_set = false;
}

token::Claims Parse(const char* json) {
    return token::ReadClaims(policy::ParseJson(json, policy::Duplicates::kRefuse));
}

// So that what it does is recorded as its doing, where the application has not said otherwise.
void SetContext(const token::Claims& claims) {
    Call([&] {
        const char* org = claims.organisation.empty() ? nullptr : claims.organisation.c_str();
        audit::SetContextIfNone(claims.subject.c_str(), org);
        return true;
    });
}

void Assume(const char* json) {
    const token::Claims claims = Parse(json);
    Set(json);
    SetContext(claims);
}

void SetByClaims(FunctionCallInfo fcinfo) {
    Jsonb* json = PG_GETARG_JSONB_P(0);
    Assume(JsonbToCString(nullptr, &json->root, VARSIZE(json)));
}

void SetByToken(FunctionCallInfo fcinfo) {
    const std::string claims = VerifiedClaims(functions::TextArgument(fcinfo, 0));
    Assume(claims.c_str());
}

Datum TextOf(const std::string& text) {
    return Call([&] { return functions::Text(text); });
}

}  // namespace

const token::Claims* Current() {
    if (setting == nullptr || *setting == '\0') return nullptr;
    if (parsed_generation != generation) {
        parsed.reset();
        parsed = Parse(setting);
        parsed_generation = generation;
    }
    return &*parsed;
}

std::uint64_t Generation() { return generation; }

void DefineSetting() {
    DefineCustomStringVariable(
        kSetting, "Whom the session acts for in this transaction.", "Set by rampart.set_principal.",
        &setting, "", PGC_USERSET,
        GUC_NO_SHOW_ALL | GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, CheckSetting,
        AssignSetting, nullptr);
}

}  // namespace rampart::pg::principal

namespace principal = rampart::pg::principal;

RAMPART_FUNCTION(rampart_set_principal_claims) {
    principal::SetByClaims(fcinfo);
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_set_principal_token) {
    principal::SetByToken(fcinfo);
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_reset_principal) {
    principal::Set("");
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_principal) {
    if (principal::Current() == nullptr) PG_RETURN_NULL();
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(principal::setting));
}
RAMPART_FUNCTION(rampart_subject) {
    const auto* current = principal::Current();
    if (current == nullptr) PG_RETURN_NULL();
    return principal::TextOf(current->subject);
}
RAMPART_FUNCTION(rampart_org) {
    const auto* current = principal::Current();
    if (current == nullptr || current->organisation.empty()) PG_RETURN_NULL();
    return principal::TextOf(current->organisation);
}
