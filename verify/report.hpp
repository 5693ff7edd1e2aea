// What the program says in the end: a verdict, and what it rests on.
#pragma once

#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/replay.hpp"

namespace rampart::verify {

enum class Verdict { kGood = 0, kTampered = 1, kCannotTell = 2 };  // exit codes

struct ClassReport {
    audit::ReplayResult replay;
    std::uint64_t erased = 0;
    std::uint64_t kept_from = 0;
};

struct Report {
    std::size_t checkpoints = 0;                // believed
    std::vector<ClassReport> classes = {};      // read to the end
    std::vector<audit::Finding> findings = {};  // beside those of the classes
    std::vector<std::string> problems = {};     // why nothing, or not everything, can be said
    std::vector<std::string> statements = {};   // what was proved
    std::vector<std::string> notes = {};        // what a reader has to know beside

    // Tampering that was found is found, whatever else could not be read.
    Verdict verdict() const;
};

enum class Format { kText, kQuiet, kJson };

// To standard output. Quiet prints nothing but what is wrong.
void Print(const Report& report, Format format);

}  // namespace rampart::verify
