// Models of this database, compiled with their rules when they are first asked and again after a
// change: one of this transaction counts at once, one of another as soon as it has committed, also
// under REPEATABLE READ and within a statement.
//
// A change of rampart.policy_model or policy_rule invalidates the relation cache's entry of the
// former in every session (rampart_policy_changed), which a rollback, be it to a savepoint, undoes.
#pragma once

#include <cstdint>
#include <string_view>

#include "pg/postgres.hpp"
#include "policy/policy_set.hpp"

namespace rampart::pg::policy {

// Error RMP06 if there is none of that name, RMP01, RMP02 or RMP04 if it cannot be compiled. Valid
// until the next call. REQUIRES: inside a transaction; no C++ object on the caller's stack needs
// this function to come back, because the server may raise errors in it only through Call().
const rampart::policy::PolicySet& ModelNamed(std::string_view name);

// The same, or nullptr where there is none.
const rampart::policy::PolicySet* FindModel(std::string_view name);

// Has moved where a model may have changed since.
std::uint64_t ModelsGeneration();

void RegisterModelCallbacks();

}  // namespace rampart::pg::policy
