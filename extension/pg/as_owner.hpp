// Code of a table's owner (index expressions, CHECKs, casts) runs with the owner's rights and no
// more, whoever has it run: as the server does for VACUUM and its kin.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg {

struct Caller {
    Oid user;
    int security;
    int guc_nesting;
};

// From here to ReturnTo the user is the owner, in a security-restricted operation; settings that
// are changed meanwhile go back. An error ends it as well, with the (sub)transaction.
Caller BecomeOwner(Oid owner);
void ReturnTo(const Caller& caller);

}  // namespace rampart::pg
