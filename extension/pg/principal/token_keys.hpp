// The keys that tokens are verified with (rampart.token_key), as this backend knows them.
#pragma once

#include <vector>

#include "token/verify.hpp"

#include "pg/postgres.hpp"

namespace rampart::pg::principal {

// Built when first needed, and again after a change: at once for the changing transaction, at its
// commit for all others. Valid until the next call.
const std::vector<token::Key>& TokenKeys();

// Whether rampart.token_denylist has it, as of now and not of the transaction's snapshot. The empty
// id is that of no token.
bool IsRevoked(const char* token_id);

void RegisterTokenCallbacks();

}  // namespace rampart::pg::principal
