#include "pg/keyring/rights.hpp"

#include "error.hpp"

extern "C" {
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace rampart::pg::keyring {
namespace {

std::uint64_t membership_epoch = 1;

void OnMembershipChange(Datum, int, uint32) { ++membership_epoch; }

// has_privs_of_role says yes to a superuser whatever the role.
bool HasPrivilegesOf(Oid user, Oid role) {
    if (user == role) return true;
    return superuser_arg(user) ? is_member_of_role_nosuper(user, role)
                               : has_privs_of_role(user, role);
}

}  // namespace

std::uint8_t RightsOf(const Scope& scope) {
    const Oid user = GetUserId();
    if (scope.checked_user == user && scope.checked_epoch == membership_epoch)
        return scope.checked_rights;
    const std::uint64_t epoch = membership_epoch;
    std::uint8_t rights = 0;
    for (const Grant& grant : scope.grants) {
        if (HasPrivilegesOf(user, grant.role)) rights |= grant.rights;
    }
    scope.checked_rights = rights;
    scope.checked_user = user;
    scope.checked_epoch = epoch;
    return rights;
}

void RequireRight(const Scope& scope, std::uint8_t any_of) {
    if (HasRight(scope, any_of)) return;
    const char* verb = any_of == kEncrypt ? "encrypt" : any_of == kDecrypt ? "decrypt" : "compare";
    throw Error(
        errc::kInsufficientPrivilege,
        std::string("permission denied to ") + verb + " in scope \"" + scope.name + "\"", "",
        std::string("An administrator can grant it: SELECT rampart.grant_scope('") + scope.name +
            "', '<role>', '" + (any_of == kEncrypt ? "encrypt" : "decrypt") + "').");
}

void RegisterRightsCallbacks() {
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, OnMembershipChange, Datum{0});
    CacheRegisterSyscacheCallback(AUTHOID, OnMembershipChange, Datum{0});
}

}  // namespace rampart::pg::keyring
