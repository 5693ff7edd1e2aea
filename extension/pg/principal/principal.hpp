// Whom the session acts for in this transaction: the claims of a verified token, or what a role
// that is trusted to say so has said (sql/rampart/88_principal.sql).
//
// Kept in the setting rampart.principal, which none but this code can set: so it ends with the
// transaction, goes back with a savepoint, and reaches parallel workers. It holds claims, never a
// token.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"
#include "token/claims.hpp"

namespace rampart::pg::principal {

// nullptr: nobody, who may do nothing. Valid until it changes.
const token::Claims* Current();

// Moves whenever it is set, ends or goes back.
std::uint64_t Generation();

void DefineSetting();

}  // namespace rampart::pg::principal
