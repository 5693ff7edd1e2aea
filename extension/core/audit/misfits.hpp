// Entries that do not hash to their stored leaf hash, and what happened to the first of them.
//
// A root does not say which leaf is wrong; stored leaf hashes, where they still add up to the root,
// do. Where entries were moved, added or taken away, the ones behind stand in places of others, and
// their hashes are found there.
#pragma once

#include "audit/finding.hpp"
#include "audit/merkle.hpp"

namespace rampart::audit {

// A leaf as it was shown to a verifier.
struct ShownLeaf {
    std::uint64_t index = 0;
    std::optional<std::int64_t> id = {};  // nothing where the entry was removed
    std::optional<Hash> computed = {};    // of the entry; nothing where it cannot be hashed
    std::optional<Hash> stored = {};      // as the log's tiles have it
};

class Misfits {
  public:
    // The next leaf whose entry is there. Takes constant time and memory.
    void Observe(const ShownLeaf& leaf);

    // What was observed so far turned out to be what was sealed.
    void Settle();

    bool any() const { return count_ > 0; }
    std::uint64_t index() const { return first_.index; }  // of the first one

    // What happened to the first one; `any()`. `kind` as kLeafHash says that the entry is good.
    Finding First(std::optional<FindingKind> kind = {}) const;

  private:
    FindingKind Kind() const;

    std::uint64_t count_ = 0;
    std::optional<Hash> previous_;  // computed, of the leaf before
    ShownLeaf first_;
    bool repeats_ = false;                   // the leaf before the first
    bool next_moved_up_ = false;             // the first is what belongs behind it
    std::optional<std::uint64_t> found_at_;  // where what belongs in the first one's place is
};

}  // namespace rampart::audit
