// How many values each data key has encrypted in randomised mode, against rampart.key_budget.
//
// Samples (core/keyring/data_key.hpp) are gathered in UsageTable and written to rampart.key_usage
// by the next transaction of the database that writes, as it commits: rampart.count_usage() does
// that, and sees to what follows from it: a warning, a new key, the end of a key.
#pragma once

#include <cstdint>

#include "pg/keyring/keyring.hpp"

namespace rampart::pg::keyring {

// Takes the samples of the key that has just sealed a value. Error RMK10 where the key's budget is
// used up, with what no transaction has written yet: so a single huge transaction is stopped, too.
void NoteUsage(Key& key);

// Writes all that is pending in this database; returns how many values. A failure is a warning.
// REQUIRES: inside a transaction that may write.
std::int64_t FlushUsage();

void RegisterUsageCallbacks();

}  // namespace rampart::pg::keyring
