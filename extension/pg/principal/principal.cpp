#include <memory>
#include <string>

#include "pg/principal/principal.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"

extern "C" {
#include "access/parallel.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
}

namespace rampart::pg {
namespace {

constexpr char kSetting[] = "rampart.principal";

char* held = nullptr;  // JSON; empty: nobody
bool holding = false;  // Change() is at work
std::uint64_t generation = 1;

std::unique_ptr<Principal> current;
std::uint64_t read_generation = 0;

bool IsHeld() { return held != nullptr && *held != '\0'; }

// A parallel worker takes its leader's settings over with the source they had there. SET, RESET,
// set_config, options of a connection, a role, a database or a function: all come by here.
bool MayHold(GucSource source) {
    return source == PGC_S_SESSION && (holding || InitializingParallelWorker);
}

bool CheckSetting(char** value, void**, GucSource source) {
    if (*value == nullptr || **value == '\0' || MayHold(source)) return true;
    GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
    GUC_check_errmsg("\"%s\" cannot be set", kSetting);
    GUC_check_errhint("%s", "rampart.set_principal() takes a token.");
    return false;
}

// Called before the variable changes, also at the end of a transaction.
void AssignSetting(const char*, void*) { ++generation; }

std::unique_ptr<Principal> Read() noexcept {
    try {
        return std::make_unique<Principal>(ReadClaims(policy::ParseJson(held)));
    } catch (const std::exception&) {
        return nullptr;
    }
}

// As SET LOCAL does.
void Change(const char* value) {
    holding = true;
    try {
        Call([&] {
            return set_config_option(kSetting, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                                     true, 0, false);
        });
    } catch (...) {
        holding = false;
        throw;
    }
    holding = false;
}

Datum TextOrNull(FunctionCallInfo fcinfo, const std::string* text) {
    if (text == nullptr || text->empty()) PG_RETURN_NULL();
    return functions::Text(*text);
}

}  // namespace

const Principal* CurrentPrincipal() noexcept {
    if (!IsHeld()) return nullptr;
    if (read_generation != generation) {
        current = Read();
        read_generation = generation;
    }
    return current.get();
}

std::uint64_t PrincipalGeneration() { return generation; }

namespace principal {

void Hold(const Principal& principal) {
    const std::string claims = WriteClaims(principal);
    if (claims.size() > kMaxClaimsSize)
        throw Error(errc::kLimitExceeded, "a principal's claims have at most 16 kB");
    Change(claims.c_str());
}

void DefineSetting() {
    DefineCustomStringVariable(
        kSetting, "Whom the transaction works for.",
        "Held here by rampart.set_principal(); nothing else can set it.", &held, "", PGC_SUSET,
        GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
        CheckSetting, AssignSetting, nullptr);
}

}  // namespace principal
}  // namespace rampart::pg

namespace pg = rampart::pg;

RAMPART_FUNCTION(rampart_trust_principal) {
    if (PG_ARGISNULL(0)) throw rampart::Error(rampart::errc::kInvalidParameter, "claims are NULL");
    Jsonb* claims = PG_GETARG_JSONB_P(0);
    if (VARSIZE(claims) > rampart::kMaxClaimsSize)
        throw rampart::Error(rampart::errc::kLimitExceeded,
                             "a principal's claims have at most 16 kB");
    const char* json = JsonbToCString(nullptr, &claims->root, static_cast<int>(VARSIZE(claims)));
    pg::principal::Hold(rampart::ReadClaims(rampart::policy::ParseJson(json)));
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_reset_principal) {
    pg::Change("");
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_principal) {
    if (pg::CurrentPrincipal() == nullptr) PG_RETURN_NULL();
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(pg::held));
}

RAMPART_FUNCTION(rampart_subject) {
    const rampart::Principal* principal = pg::CurrentPrincipal();
    return pg::TextOrNull(fcinfo, principal == nullptr ? nullptr : &principal->subject);
}

RAMPART_FUNCTION(rampart_org) {
    const rampart::Principal* principal = pg::CurrentPrincipal();
    return pg::TextOrNull(fcinfo, principal == nullptr ? nullptr : &principal->organisation);
}
