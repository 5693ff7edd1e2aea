// Where checkpoints and keys come from: the command line, files, and directories of files.
#pragma once

#include <string>
#include <vector>

#include "audit/known_heads.hpp"
#include "report.hpp"

namespace rampart::verify {

// Whose checkpoints are believed.
struct Trust {
    std::vector<audit::NoteVerifier> keys;
    std::string origin;
};

// Keys in the form of docs/formats.md, or files of one in a line; `origin` where it is not the name
// of all keys. InputError for what is no key, for none, and for an origin that is not clear.
Trust MakeTrust(const std::vector<std::string>& keys, const std::string& origin);

// Opens a note and adds it to the heads that are known; one that does not open is a finding.
// True if it was added.
bool AddCheckpoint(const std::string& note, const std::string& label, const Trust& trust,
                   audit::KnownHeads& heads, Report& report);

// `source` is a note, a file of notes behind one another, or a directory of such files, read in the
// order of their names. InputError for what holds something else.
void AddCheckpoints(const std::string& source, const Trust& trust, audit::KnownHeads& heads,
                    Report& report);

}  // namespace rampart::verify
