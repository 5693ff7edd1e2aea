// Proofs about a log: that an entry is in a tree, that one tree continues another.
//
// Made as RFC 6962, 2.1.1 and 2.1.2, define them and verified by the algorithms of RFC 9162,
// 2.1.3.2 and 2.1.4.2; both name the same bytes. A verifier is given hostile proofs: any length,
// any sizes. Making proofs takes hashes of complete subtrees from wherever they are kept.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "audit/merkle.hpp"

namespace rampart::audit {

using Proof = std::vector<Hash>;

// Where hashes of complete subtrees come from; the caller asks for none that reaches beyond the
// tree. Nothing where it is not to be had: pruned, lost or damaged.
class HashSource {
  public:
    virtual ~HashSource() = default;
    virtual std::optional<Hash> Find(Subtree subtree) = 0;
};

// A log whose first `front.size()` leaves were dropped: the frontier of what was dropped answers
// for it, `rest` for everything behind. Roots of trees of at least that size, their consistency and
// the inclusion of the leaves that are left can be proved as before.
class PrunedSource : public HashSource {
  public:
    PrunedSource(const Frontier& front, HashSource& rest) : front_(front), rest_(rest) {}
    std::optional<Hash> Find(Subtree subtree) override;

  private:
    const Frontier& front_;
    HashSource& rest_;
};

// Nothing for a size above kMaxTreeSize and where the source has not got a hash.
std::optional<Hash> RootOf(HashSource& source, std::uint64_t size);
std::optional<Frontier> FrontierOf(HashSource& source, std::uint64_t size);

// That the leaf at `index` is in the tree of the first `size` leaves. Nothing also unless
// index < size.
std::optional<Proof> ProveInclusion(HashSource& source, std::uint64_t index, std::uint64_t size);

// That the tree of `new_size` leaves begins with that of `old_size`. Nothing also unless
// old_size <= new_size. Empty for equal sizes and for old_size 0.
std::optional<Proof> ProveConsistency(HashSource& source, std::uint64_t old_size,
                                      std::uint64_t new_size);

// A size and its root, as a checkpoint states them.
struct TreeHead {
    std::uint64_t size = 0;
    Hash root = EmptyRoot();

    bool operator==(const TreeHead&) const = default;
};

// `head` must be authentic: a proof binds a leaf to a root, and the size only says how to read it.
[[nodiscard]] bool VerifyInclusion(const Hash& leaf, std::uint64_t index, const TreeHead& head,
                                   std::span<const Hash> proof);

// Both heads must be authentic. The empty tree begins every other, by an empty proof.
[[nodiscard]] bool VerifyConsistency(const TreeHead& old_head, const TreeHead& new_head,
                                     std::span<const Hash> proof);

}  // namespace rampart::audit
