// Whether the current user may encrypt or decrypt in a scope: decided here and nowhere else.
//
// Rights come by grant_scope to the user or to a role whose privileges it inherits. Superusers need
// a grant like anybody else. SECURITY DEFINER and SET ROLE change the current user, and so the
// rights.
#pragma once

#include "pg/keyring/keyring.hpp"

namespace rampart::pg::keyring {

std::uint8_t RightsOf(const Scope& scope);

// Whether one of the rights in the set is there.
inline bool HasRight(const Scope& scope, std::uint8_t any_of) {
    return (RightsOf(scope) & any_of) != 0;
}

// Error 42501 if none of the rights in the set is there.
void RequireRight(const Scope& scope, std::uint8_t any_of);

void RegisterRightsCallbacks();

}  // namespace rampart::pg::keyring
