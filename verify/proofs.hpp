// Single proofs: that an entry is in the log, that one checkpoint continues another.
#pragma once

#include "checkpoints.hpp"

namespace rampart::verify {

// A file of rampart.inclusion_proof() (docs/formats.md). The head it leads to is looked for among
// `heads`, by its size, and is the checkpoint in the file if that is signed. InputError for a file
// that is none.
void VerifyEntry(const std::string& path, const Trust& trust, audit::KnownHeads& heads,
                 Report& report);

// A file of rampart.consistency_proof(); both heads are looked for among `heads`.
void VerifyHeads(const std::string& path, const audit::KnownHeads& heads, Report& report);

}  // namespace rampart::verify
