// Whom this transaction works for: the claims of a token that was verified, or what a trusted role
// said (rampart.trust_principal). Gone with the transaction, and with the savepoint it was set
// under; in parallel workers it is the leader's.
//
// It is held as a setting, rampart.principal, because settings do all of that. Only Hold() can give
// the setting a value: its check hook refuses every other one, wherever it comes from.
#pragma once

#include <cstdint>

#include "token/principal.hpp"

#include "pg/postgres.hpp"

namespace rampart::pg {

using rampart::Principal;

// nullptr where there is none: nothing is allowed then. Valid until PrincipalGeneration() changes.
// Reads no catalog, never throws: for failed transactions as well.
const Principal* CurrentPrincipal() noexcept;

// Another number whenever the principal was set or reset, or its transaction or savepoint ended.
std::uint64_t PrincipalGeneration();

namespace principal {

// From here to the end of the transaction. Text in the database's encoding. Errors: 54000 for more
// than kMaxClaimsSize.
void Hold(const Principal& principal);

void DefineSetting();

}  // namespace principal
}  // namespace rampart::pg
