// What a verifier found wrong with a log: the kinds of tampering, told apart, and each in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart::audit {

enum class FindingKind {
    kUnsigned,       // a checkpoint that no given key signed, or that was altered since
    kOrigin,         // a signed checkpoint of another log
    kForked,         // two signed checkpoints that no log can have had one after the other
    kAltered,        // an entry that is not what its leaf was made of
    kInserted,       // an entry that the log has not, before one that it has
    kMissing,        // entries that are not there
    kRemoved,        // entries of which the hash is left, and that were to be kept
    kDoubled,        // an entry once more
    kReordered,      // an entry in another one's place
    kLeafHash,       // a good entry, and a stored leaf hash that is not its own
    kRewritten,      // entries changed, added or taken away, and their leaf hashes with them
    kNotContinued,   // a signed checkpoint that the log does not begin with any more
    kCutOff,         // entries missing at the end
    kRolledBack,     // a log that is at an older checkpoint than one that is known
    kFalseProof,     // a proof that does not lead from the entry to the signed root
    kNotConsistent,  // one that does not lead from one signed root to the other
};

// Fields that a kind has no use for are empty. Indexes are those of leaves.
struct Finding {
    FindingKind kind;
    std::string log_class = {};
    std::optional<std::uint64_t> first = {};
    std::optional<std::uint64_t> last = {};
    std::optional<std::int64_t> id = {};      // of the entry at `first`
    std::optional<std::uint64_t> other = {};  // where else: an index, or a size
    std::string checkpoint = {};              // where it was read
    std::string other_checkpoint = {};
    std::uint64_t count = 1;  // of this kind, this first one included
};

// "altered", "cut_off": for machines.
std::string_view NameOf(FindingKind kind);

// A sentence without its full stop. Repeats only what the caller put into the finding.
std::string Describe(const Finding& finding);

}  // namespace rampart::audit
