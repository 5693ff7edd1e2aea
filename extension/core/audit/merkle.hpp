// The Merkle tree of a log: hashes of leaves and nodes, and the frontier that grows it.
//
// RFC 6962, 2.1 (RFC 9162, 2.1, is the same tree) over SHA-256. A leaf and a node are hashed with
// different first bytes, so that no node can be passed off as a leaf. The root of a tree of n
// leaves has below it the complete subtrees that the binary digits of n name: for n = 13, those of
// 8, 4 and 1 leaves. Their roots, the frontier, are all that is needed to append.
//
// Hashing and appending allocate nothing. Objects belong to one thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "bytes.hpp"
#include "crypto/sha256.hpp"

namespace rampart::audit {

using Hash = Sha256Digest;

// Sizes and indexes are bigint in SQL. Larger ones are refused wherever they come from outside.
inline constexpr std::uint64_t kMaxTreeSize = (std::uint64_t{1} << 63) - 1;

Hash EmptyRoot();                                    // SHA-256 of nothing
Hash LeafHash(ByteView leaf);                        // SHA-256(0x00 || leaf)
Sha256Stream LeafStream();                           // the same, of a leaf in parts
Hash NodeHash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)

// Consecutive hashes as bytes and back: a proof, a tile, a frontier. Nothing if the bytes are not
// a whole number of hashes.
ByteView BytesOf(std::span<const Hash> hashes);
std::optional<std::vector<Hash>> HashesOf(ByteView bytes);

// A complete subtree: the leaves [index * 2^level, (index + 1) * 2^level). Level 0 is a leaf.
struct Subtree {
    unsigned level;
    std::uint64_t index;

    std::uint64_t begin() const { return index << level; }
    std::uint64_t end() const { return (index + 1) << level; }
    bool operator==(const Subtree&) const = default;
};

// The roots of the complete subtrees that make up the first size() leaves, largest first: as many
// as size() has binary ones. It is at the same time what remains of a log whose first size() leaves
// were dropped (PrunedSource, proof.hpp).
class Frontier {
  public:
    Frontier() = default;

    // Nothing unless there is one hash for each binary one of `size`, and size <= kMaxTreeSize.
    static std::optional<Frontier> Restore(std::uint64_t size, std::span<const Hash> hashes);

    // 8 bytes size, big-endian, then the hashes. Parse refuses what Serialise does not write.
    std::vector<std::uint8_t> Serialise() const;
    static std::optional<Frontier> Parse(ByteView bytes);

    void Append(const Hash& leaf);
    Hash Root() const;  // MTH(D[0:size])

    std::uint64_t size() const { return size_; }
    std::span<const Hash> hashes() const { return {hashes_.data(), count_}; }

    // The root of one of the subtrees of the frontier; nothing for any other.
    std::optional<Hash> Find(Subtree subtree) const;

    bool operator==(const Frontier& other) const;

  private:
    static constexpr std::size_t kMaxHashes = 64;

    std::uint64_t size_ = 0;
    std::size_t count_ = 0;
    std::array<Hash, kMaxHashes> hashes_;
};

}  // namespace rampart::audit
