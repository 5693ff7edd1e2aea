// Input: two numbers of 8 bytes, a leaf hash, two roots and a proof, each of which may be cut
// short. No sizes and no proof may harm the verifiers. Of a real tree only the proofs are accepted
// that the prover makes. The input is also a frontier.
#include <algorithm>

#include "audit/proof.hpp"
#include "fuzz.hpp"

using namespace rampart;
using namespace rampart::audit;

namespace {

constexpr std::uint64_t kLeaves = 100;

// The tree of 100 leaves whose hashes are those of single bytes.
struct Tree : HashSource {
    std::vector<Hash> leaves;
    std::vector<TreeHead> heads = {TreeHead()};

    Tree() {
        Frontier frontier;
        for (std::uint8_t byte = 0; byte < kLeaves; ++byte) {
            leaves.push_back(LeafHash({&byte, 1}));
            frontier.Append(leaves.back());
            heads.push_back({frontier.size(), frontier.Root()});
        }
    }

    std::optional<Hash> Find(Subtree subtree) override {
        fuzz::Require(subtree.end() <= kLeaves, "nothing beyond the tree is asked for");
        if (subtree.level == 0) return leaves[subtree.index];
        return NodeHash(*Find({subtree.level - 1, subtree.index * 2}),
                        *Find({subtree.level - 1, subtree.index * 2 + 1}));
    }
};

struct Input {
    std::uint64_t first, second;
    Hash leaf, root, other_root;
    Proof proof;
};

template <typename Value>
void Take(ByteView& bytes, Value& value) {
    const std::size_t size = std::min(bytes.size(), sizeof value);
    std::fill_n(reinterpret_cast<std::uint8_t*>(&value), sizeof value, std::uint8_t{0});
    if (size > 0) std::memcpy(&value, bytes.data(), size);
    bytes = bytes.subspan(size);
}

Input Read(ByteView bytes) {
    Input input;
    Take(bytes, input.first);
    Take(bytes, input.second);
    Take(bytes, input.leaf);
    Take(bytes, input.root);
    Take(bytes, input.other_root);
    input.first = SwapToBigEndian(input.first);
    input.second = SwapToBigEndian(input.second);
    input.proof = *HashesOf(bytes.first(bytes.size() / sizeof(Hash) * sizeof(Hash)));
    return input;
}

void CheckHostile(const Input& input) {
    const TreeHead head{input.first, input.root};
    const TreeHead other{input.second, input.other_root};
    if (VerifyInclusion(input.leaf, input.first, other, input.proof)) {
        fuzz::Require(input.first < input.second && input.proof.size() < 64,
                      "a leaf is in a tree that has its index");
    }
    if (VerifyConsistency(head, other, input.proof)) {
        fuzz::Require(input.first <= input.second && input.proof.size() <= 64, "logs grow");
    }
}

void CheckReal(const Input& input) {
    static Tree tree;
    const std::uint64_t size = input.second % (kLeaves + 1);
    const std::uint64_t first = input.first % (size + 1);
    const auto consistency = ProveConsistency(tree, first, size);
    fuzz::Require(VerifyConsistency(tree.heads[first], tree.heads[size], *consistency),
                  "the tree continues itself");
    fuzz::Require(VerifyConsistency(tree.heads[first], tree.heads[size], input.proof) ==
                      (input.proof == *consistency),
                  "one consistency proof is accepted");
    if (first == size) return;
    const auto inclusion = ProveInclusion(tree, first, size);
    fuzz::Require(VerifyInclusion(tree.leaves[first], first, tree.heads[size], *inclusion),
                  "the leaf is in the tree");
    fuzz::Require(VerifyInclusion(tree.leaves[first], first, tree.heads[size], input.proof) ==
                      (input.proof == *inclusion),
                  "one inclusion proof is accepted");
}

void CheckFrontier(ByteView bytes) {
    const auto frontier = Frontier::Parse(bytes);
    if (!frontier) return;
    fuzz::Require(std::ranges::equal(frontier->Serialise(), bytes), "a frontier keeps its bytes");
    Frontier grown = *frontier;
    grown.Append(grown.Root());
    fuzz::Require(grown.size() == frontier->size() + 1, "a frontier grows");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Input input = Read({data, size});
    CheckHostile(input);
    CheckReal(input);
    CheckFrontier({data, size});
    return 0;
}
