// Trees for the tests of the audit log, and the definitions of RFC 6962 taken at their word: slow,
// recursive, and sharing nothing with the code under test but the hashes of leaves and nodes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audit/proof.hpp"
#include "vectors.hpp"

namespace rampart::test {

using audit::Hash;
using audit::Proof;
using Hashes = std::span<const Hash>;

// MTH, PATH and PROOF of RFC 6962, 2.1, 2.1.1 and 2.1.2.
Hash DefinedRoot(Hashes leaves);
Proof DefinedPath(std::size_t index, Hashes leaves);
Proof DefinedConsistency(std::size_t old_size, Hashes leaves);

// Leaf hashes of the 8-byte numbers 0 to size - 1.
std::vector<Hash> NumberedLeaves(std::size_t size);

// The eight inputs that the tests of Certificate Transparency have in common.
std::vector<Hash> WellKnownLeaves();

Hash HashOfHex(const std::string& text);

// Every complete subtree of a list of leaves.
class MemorySource : public audit::HashSource {
  public:
    explicit MemorySource(Hashes leaves);
    std::optional<Hash> Find(audit::Subtree subtree) override;

    // Subtrees that begin below `size` are gone.
    void Forget(std::uint64_t size) { forgotten_ = size; }

  private:
    std::vector<std::vector<Hash>> levels_;
    std::uint64_t forgotten_ = 0;
};

}  // namespace rampart::test
