#include "audit/proof.hpp"

#include <algorithm>
#include <bit>

namespace rampart::audit {
namespace {

// Leaves of the left of the two trees that one of `leaves` > 1 consists of.
std::uint64_t LeftPart(std::uint64_t leaves) { return std::bit_floor(leaves - 1); }

// MTH(D[begin:end]), the right-most subtree first. `begin` is a multiple of the least power of two
// that is not below end - begin, as it is for every node of a tree.
std::optional<Hash> RangeHash(HashSource& source, std::uint64_t begin, std::uint64_t end) {
    std::optional<Hash> right;
    for (std::uint64_t left = end - begin; left != 0;) {
        const auto level = static_cast<unsigned>(std::countr_zero(left));
        left &= left - 1;
        const auto hash = source.Find({level, (begin + left) >> level});
        if (!hash) return std::nullopt;
        right = right ? NodeHash(*hash, *right) : *hash;
    }
    return right;
}

// Collects a proof from the root downwards; it is written from the leaf upwards.
class ProofBuilder {
  public:
    explicit ProofBuilder(HashSource& source) : source_(source) {}

    void Add(std::uint64_t begin, std::uint64_t end) {
        if (!available_) return;
        const auto hash = RangeHash(source_, begin, end);
        available_ = hash.has_value();
        if (hash) proof_.push_back(*hash);
    }

    std::optional<Proof> Result() && {
        if (!available_) return std::nullopt;
        std::ranges::reverse(proof_);
        return std::move(proof_);
    }

  private:
    HashSource& source_;
    Proof proof_;
    bool available_ = true;
};

// The way from a node to the root of its tree: its index, and that of the last node, at each level.
// Where the node is the last and has no right neighbour, it stands for its parents too.
class Path {
  public:
    Path(std::uint64_t node, std::uint64_t last) : node_(node), last_(last) {}

    bool AtRoot() const { return last_ == 0; }
    bool SiblingIsLeft() const { return (node_ & 1) != 0 || node_ == last_; }

    void Rise(int levels = 1) {
        node_ >>= levels;
        last_ >>= levels;
    }
    void SkipToLeftSibling() { Rise(std::countr_zero(node_)); }  // not from node 0, the root
    void SkipLeftSiblings() { Rise(std::countr_one(node_)); }

  private:
    std::uint64_t node_;
    std::uint64_t last_;
};

// RFC 9162, 2.1.4.2, for 0 < old size < new size. `start` is a node of both trees.
bool Connects(const TreeHead& old_head, const TreeHead& new_head, const Hash& start,
              std::span<const Hash> rest) {
    Path path(old_head.size - 1, new_head.size - 1);
    path.SkipLeftSiblings();
    Hash old_root = start;
    Hash new_root = start;
    for (const Hash& sibling : rest) {
        if (path.AtRoot()) return false;
        if (path.SiblingIsLeft()) {
            old_root = NodeHash(sibling, old_root);
            new_root = NodeHash(sibling, new_root);
            path.SkipToLeftSibling();
        } else {
            new_root = NodeHash(new_root, sibling);
        }
        path.Rise();
    }
    return path.AtRoot() && old_root == old_head.root && new_root == new_head.root;
}

}  // namespace

std::optional<Hash> PrunedSource::Find(Subtree subtree) {
    if (subtree.end() <= front_.size()) return front_.Find(subtree);
    if (subtree.begin() >= front_.size()) return rest_.Find(subtree);
    const auto left = Find({subtree.level - 1, subtree.index * 2});
    const auto right = left ? Find({subtree.level - 1, subtree.index * 2 + 1}) : std::nullopt;
    if (!right) return std::nullopt;
    return NodeHash(*left, *right);
}

std::optional<Hash> RootOf(HashSource& source, std::uint64_t size) {
    if (size > kMaxTreeSize) return std::nullopt;
    return size == 0 ? EmptyRoot() : RangeHash(source, 0, size);
}

std::optional<Frontier> FrontierOf(HashSource& source, std::uint64_t size) {
    if (size > kMaxTreeSize) return std::nullopt;
    std::vector<Hash> hashes;
    for (std::uint64_t rest = size, begin = 0; rest != 0;) {
        const auto level = static_cast<unsigned>(std::bit_width(rest) - 1);
        const auto hash = source.Find({level, begin >> level});
        if (!hash) return std::nullopt;
        hashes.push_back(*hash);
        begin += std::uint64_t{1} << level;
        rest -= std::uint64_t{1} << level;
    }
    return Frontier::Restore(size, hashes);
}

std::optional<Proof> ProveInclusion(HashSource& source, std::uint64_t index, std::uint64_t size) {
    if (index >= size || size > kMaxTreeSize) return std::nullopt;
    ProofBuilder proof(source);
    for (std::uint64_t begin = 0, end = size; end - begin > 1;) {
        const std::uint64_t middle = begin + LeftPart(end - begin);
        if (index < middle) {
            proof.Add(middle, end);
            end = middle;
        } else {
            proof.Add(begin, middle);
            begin = middle;
        }
    }
    return std::move(proof).Result();
}

std::optional<Proof> ProveConsistency(HashSource& source, std::uint64_t old_size,
                                      std::uint64_t new_size) {
    if (old_size > new_size || new_size > kMaxTreeSize) return std::nullopt;
    if (old_size == 0) return Proof();
    ProofBuilder proof(source);
    std::uint64_t begin = 0;
    std::uint64_t end = new_size;
    while (end != old_size) {
        const std::uint64_t middle = begin + LeftPart(end - begin);
        if (old_size <= middle) {
            proof.Add(middle, end);
            end = middle;
        } else {
            proof.Add(begin, middle);
            begin = middle;
        }
    }
    // Where begin is 0 the node is the old tree's root, which the verifier has.
    if (begin != 0) proof.Add(begin, end);
    return std::move(proof).Result();
}

bool VerifyInclusion(const Hash& leaf, std::uint64_t index, const TreeHead& head,
                     std::span<const Hash> proof) {
    if (index >= head.size || head.size > kMaxTreeSize) return false;
    Path path(index, head.size - 1);
    Hash hash = leaf;
    for (const Hash& sibling : proof) {
        if (path.AtRoot()) return false;
        if (path.SiblingIsLeft()) {
            hash = NodeHash(sibling, hash);
            path.SkipToLeftSibling();
        } else {
            hash = NodeHash(hash, sibling);
        }
        path.Rise();
    }
    return path.AtRoot() && hash == head.root;
}

bool VerifyConsistency(const TreeHead& old_head, const TreeHead& new_head,
                       std::span<const Hash> proof) {
    if (old_head.size > new_head.size || new_head.size > kMaxTreeSize) return false;
    if (old_head.size == 0 && old_head.root != EmptyRoot()) return false;
    if (old_head.size == new_head.size) return proof.empty() && old_head.root == new_head.root;
    if (old_head.size == 0) return proof.empty();
    if (proof.empty()) return false;
    // A complete old tree is itself a node of the new one, and not repeated in the proof.
    if (std::has_single_bit(old_head.size)) {
        return Connects(old_head, new_head, old_head.root, proof);
    }
    return Connects(old_head, new_head, proof.front(), proof.subspan(1));
}

}  // namespace rampart::audit
