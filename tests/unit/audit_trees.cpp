#include "audit_trees.hpp"

#include <algorithm>

namespace rampart::test {
namespace {

// The largest power of two smaller than `size`.
std::size_t Split(std::size_t size) {
    std::size_t split = 1;
    while (split * 2 < size) split *= 2;
    return split;
}

Proof DefinedSubproof(std::size_t old_size, Hashes leaves, bool known) {
    if (old_size == leaves.size()) return known ? Proof() : Proof{DefinedRoot(leaves)};
    const std::size_t split = Split(leaves.size());
    Proof proof;
    if (old_size <= split) {
        proof = DefinedSubproof(old_size, leaves.first(split), known);
        proof.push_back(DefinedRoot(leaves.subspan(split)));
    } else {
        proof = DefinedSubproof(old_size - split, leaves.subspan(split), false);
        proof.push_back(DefinedRoot(leaves.first(split)));
    }
    return proof;
}

}  // namespace

Hash DefinedRoot(Hashes leaves) {
    if (leaves.empty()) return audit::EmptyRoot();
    if (leaves.size() == 1) return leaves.front();
    const std::size_t split = Split(leaves.size());
    return audit::NodeHash(DefinedRoot(leaves.first(split)), DefinedRoot(leaves.subspan(split)));
}

Proof DefinedPath(std::size_t index, Hashes leaves) {
    if (leaves.size() == 1) return {};
    const std::size_t split = Split(leaves.size());
    const bool left = index < split;
    Proof path = left ? DefinedPath(index, leaves.first(split))
                      : DefinedPath(index - split, leaves.subspan(split));
    path.push_back(DefinedRoot(left ? leaves.subspan(split) : leaves.first(split)));
    return path;
}

Proof DefinedConsistency(std::size_t old_size, Hashes leaves) {
    return DefinedSubproof(old_size, leaves, true);
}

std::vector<Hash> NumberedLeaves(std::size_t size) {
    std::vector<Hash> leaves;
    for (std::uint64_t number = 0; number < size; ++number) {
        Bytes bytes(sizeof number);
        StoreBigEndian(number, bytes.data());
        leaves.push_back(audit::LeafHash(bytes));
    }
    return leaves;
}

std::vector<Hash> WellKnownLeaves() {
    std::vector<Hash> leaves;
    for (const char* input : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                              "606162636465666768696a6b6c6d6e6f"}) {
        leaves.push_back(audit::LeafHash(FromHex(input)));
    }
    return leaves;
}

Hash HashOfHex(const std::string& text) { return audit::HashesOf(FromHex(text))->at(0); }

MemorySource::MemorySource(Hashes leaves) {
    levels_.emplace_back(leaves.begin(), leaves.end());
    while (levels_.back().size() > 1) {
        const std::vector<Hash>& below = levels_.back();
        std::vector<Hash> level;
        for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
            level.push_back(audit::NodeHash(below[i], below[i + 1]));
        }
        levels_.push_back(std::move(level));
    }
}

std::optional<Hash> MemorySource::Find(audit::Subtree subtree) {
    if (subtree.begin() < forgotten_ || subtree.level >= levels_.size() ||
        subtree.index >= levels_[subtree.level].size()) {
        return std::nullopt;
    }
    return levels_[subtree.level][subtree.index];
}

}  // namespace rampart::test
