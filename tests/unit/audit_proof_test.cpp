// Inclusion and consistency proofs: published ones, those of all small trees, and hostile ones.
#include <gtest/gtest.h>

#include "audit_trees.hpp"

namespace rampart::audit {
namespace {

using test::DefinedRoot;
using test::HashOfHex;
using test::MemorySource;
using test::NumberedLeaves;

constexpr std::size_t kSizes = 130;
constexpr std::size_t kBits = 256;

const std::vector<Hash>& Leaves() {
    static const std::vector<Hash> leaves = NumberedLeaves(kSizes);
    return leaves;
}

TreeHead Head(std::size_t size) {
    static const std::vector<TreeHead> heads = [] {
        std::vector<TreeHead> all(1);
        Frontier frontier;
        for (const Hash& leaf : Leaves()) {
            frontier.Append(leaf);
            all.push_back({frontier.size(), frontier.Root()});
        }
        return all;
    }();
    return heads.at(size);
}

void Flip(Hash& hash, std::size_t bit) {
    hash[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
}

// Calls `refused` with each changed proof: `bits` bits in each hash, a hash more or fewer at either
// end, two in the other order.
template <typename Refused>
void EachChange(const Proof& proof, std::size_t bits, const Refused& refused) {
    for (std::size_t i = 0; i < proof.size(); ++i) {
        for (std::size_t bit = 0; bit < bits; ++bit) {
            Proof changed = proof;
            Flip(changed[i], (bit * (kBits / bits) + i * 37 + proof.size()) % kBits);
            refused(changed);
        }
        if (i + 1 < proof.size()) {
            Proof changed = proof;
            std::swap(changed[i], changed[i + 1]);
            refused(changed);
        }
    }
    for (const bool front : {false, true}) {
        Proof changed = proof;
        const auto end = [&] { return front ? changed.begin() : changed.end(); };
        changed.insert(end(), proof.empty() ? Hash{} : proof.front());
        refused(changed);
        if (proof.empty()) continue;
        changed = proof;
        changed.erase(front ? changed.begin() : changed.end() - 1);
        refused(changed);
    }
}

TEST(Inclusion, AnswersAsPublished) {
    // Certificate Transparency's tests: leaf index, size, path.
    const auto leaves = test::WellKnownLeaves();
    MemorySource source(leaves);
    const struct {
        std::uint64_t index, size;
        std::vector<const char*> path;
    } kPaths[] = {{0, 1, {}},
                  {0,
                   8,
                   {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                  {5,
                   8,
                   {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                  {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
                  {1,
                   5,
                   {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
    for (const auto& [index, size, path] : kPaths) {
        Proof expected;
        for (const char* hash : path) expected.push_back(HashOfHex(hash));
        EXPECT_EQ(ProveInclusion(source, index, size), expected);
        const TreeHead head{size, DefinedRoot(test::Hashes(leaves).first(size))};
        EXPECT_TRUE(VerifyInclusion(leaves[index], index, head, expected));
    }
}

TEST(Inclusion, HoldsForEveryLeafOfEveryTree) {
    MemorySource source(Leaves());
    for (std::size_t size = 1; size <= kSizes; ++size) {
        for (std::size_t index = 0; index < size; ++index) {
            const auto proof = ProveInclusion(source, index, size);
            ASSERT_TRUE(proof.has_value());
            ASSERT_EQ(*proof, test::DefinedPath(index, test::Hashes(Leaves()).first(size)));
            ASSERT_TRUE(VerifyInclusion(Leaves()[index], index, Head(size), *proof));
        }
    }
}

TEST(Inclusion, RefusesEveryChange) {
    MemorySource source(Leaves());
    for (std::size_t size = 1; size <= kSizes; ++size) {
        const std::size_t bits = size <= 17 ? kBits : 2;
        for (std::size_t index = 0; index < size; ++index) {
            const Proof proof = *ProveInclusion(source, index, size);
            Hash leaf = Leaves()[index];
            TreeHead head = Head(size);
            EachChange(proof, bits, [&](const Proof& changed) {
                ASSERT_FALSE(VerifyInclusion(leaf, index, head, changed)) << index << "/" << size;
            });
            for (std::size_t other = 0; other < size; other += size / 17 + 1) {
                ASSERT_EQ(VerifyInclusion(leaf, other, head, proof), other == index);
            }
            Flip(head.root, index % kBits);
            ASSERT_FALSE(VerifyInclusion(leaf, index, head, proof));
            Flip(leaf, size % kBits);
            ASSERT_FALSE(VerifyInclusion(leaf, index, Head(size), proof));
        }
    }
}

TEST(Consistency, AnswersAsPublished) {
    const auto leaves = test::WellKnownLeaves();
    MemorySource source(leaves);
    const struct {
        std::uint64_t old_size, new_size;
        std::vector<const char*> proof;
    } kProofs[] = {{1, 1, {}},
                   {1,
                    8,
                    {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                     "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                     "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                   {6,
                    8,
                    {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                     "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                   {2,
                    5,
                    {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                     "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
    for (const auto& [old_size, new_size, hashes] : kProofs) {
        Proof expected;
        for (const char* hash : hashes) expected.push_back(HashOfHex(hash));
        EXPECT_EQ(ProveConsistency(source, old_size, new_size), expected);
        const TreeHead old_head{old_size, DefinedRoot(test::Hashes(leaves).first(old_size))};
        const TreeHead new_head{new_size, DefinedRoot(test::Hashes(leaves).first(new_size))};
        EXPECT_TRUE(VerifyConsistency(old_head, new_head, expected));
    }
}

TEST(Consistency, HoldsBetweenEveryTwoTrees) {
    MemorySource source(Leaves());
    for (std::size_t size = 0; size <= kSizes; ++size) {
        for (std::size_t old_size = 0; old_size <= size; ++old_size) {
            const auto proof = ProveConsistency(source, old_size, size);
            ASSERT_TRUE(proof.has_value());
            if (old_size > 0) {
                ASSERT_EQ(*proof,
                          test::DefinedConsistency(old_size, test::Hashes(Leaves()).first(size)));
            }
            ASSERT_TRUE(VerifyConsistency(Head(old_size), Head(size), *proof));
        }
    }
}

TEST(Consistency, RefusesEveryChange) {
    MemorySource source(Leaves());
    for (std::size_t size = 1; size <= kSizes; ++size) {
        const std::size_t bits = size <= 17 ? kBits : 2;
        for (std::size_t old_size = 0; old_size <= size; ++old_size) {
            const Proof proof = *ProveConsistency(source, old_size, size);
            TreeHead old_head = Head(old_size);
            TreeHead new_head = Head(size);
            EachChange(proof, bits, [&](const Proof& changed) {
                ASSERT_FALSE(VerifyConsistency(old_head, new_head, changed))
                    << old_size << " to " << size;
            });
            Flip(old_head.root, size % kBits);
            ASSERT_FALSE(VerifyConsistency(old_head, new_head, proof));
            if (old_size == 0) continue;  // an empty tree begins whatever a signer says
            Flip(new_head.root, size % kBits);
            ASSERT_FALSE(VerifyConsistency(Head(old_size), new_head, proof));
        }
    }
}

TEST(Proofs, OfImpossibleSizesAreRefused) {
    constexpr std::uint64_t kSizesOfNothing[] = {
        0, 1, 2, kMaxTreeSize, kMaxTreeSize + 1, ~std::uint64_t{0}};
    MemorySource source({});
    for (const std::uint64_t first : kSizesOfNothing) {
        for (const std::uint64_t second : kSizesOfNothing) {
            for (const std::size_t length : {0U, 1U, 2U, 62U, 63U, 64U, 65U, 1000U}) {
                const Proof proof(length, Hash{});
                EXPECT_FALSE(VerifyInclusion(Hash{}, first, {second, EmptyRoot()}, proof));
                const bool empty = first == 0 && second <= kMaxTreeSize && length == 0;
                EXPECT_EQ(VerifyConsistency({first, EmptyRoot()}, {second, Hash{}}, proof),
                          empty && second != 0);
            }
            if (first >= second) {
                EXPECT_FALSE(ProveInclusion(source, first, second).has_value());
            }
            if (first > second || second > kMaxTreeSize) {
                EXPECT_FALSE(ProveConsistency(source, first, second).has_value());
            }
        }
    }
    EXPECT_FALSE(RootOf(source, kMaxTreeSize + 1).has_value());
    EXPECT_FALSE(FrontierOf(source, kMaxTreeSize + 1).has_value());
}

// Answers for a log that nobody could fill: with one hash, whatever the subtree.
struct EndlessSource : HashSource {
    std::optional<Hash> Find(Subtree) override { return Hash{}; }
};

TEST(Proofs, OfTheLargestTreeHold) {
    EndlessSource source;
    const TreeHead head{kMaxTreeSize, *RootOf(source, kMaxTreeSize)};
    for (const std::uint64_t index : {kMaxTreeSize - 1, kMaxTreeSize - 2, kMaxTreeSize / 2}) {
        const auto proof = ProveInclusion(source, index, kMaxTreeSize);
        ASSERT_TRUE(proof.has_value());
        EXPECT_LE(proof->size(), 63U);
    }
    const auto last = ProveInclusion(source, kMaxTreeSize - 1, kMaxTreeSize);
    EXPECT_TRUE(VerifyInclusion(Hash{}, kMaxTreeSize - 1, head, *last));
    for (const std::uint64_t size : {kMaxTreeSize - 1, kMaxTreeSize / 2 + 1}) {
        const TreeHead old_head{size, *RootOf(source, size)};
        const auto proof = ProveConsistency(source, size, kMaxTreeSize);
        ASSERT_TRUE(proof.has_value());
        EXPECT_TRUE(VerifyConsistency(old_head, head, *proof)) << size;
    }
    EXPECT_EQ(FrontierOf(source, kMaxTreeSize)->Root(), head.root);
}

TEST(Proofs, OfATreeLargerThanTheLargestAreRefused) {
    Hash root{};
    Proof proof;
    for (int level = 0; level < 62; ++level) {
        proof.emplace_back();
        root = NodeHash(root, Hash{});
    }
    const std::uint64_t size = std::uint64_t{1} << 62;
    EXPECT_TRUE(VerifyInclusion(Hash{}, 0, {size, root}, proof));
    EXPECT_FALSE(VerifyInclusion(Hash{}, 0, {size * 2, root}, proof));
    proof.emplace_back();
    EXPECT_FALSE(VerifyInclusion(Hash{}, 0, {size * 2, NodeHash(root, Hash{})}, proof));
}

TEST(Proofs, DoNotServeAHeadThatLiesAboutItsSize) {
    MemorySource source(Leaves());
    for (std::size_t size = 2; size <= kSizes; ++size) {
        for (const std::uint64_t claimed : {std::uint64_t{size} * 2, std::uint64_t{1} << 40}) {
            const TreeHead lie{claimed, Head(size).root};
            ASSERT_FALSE(VerifyInclusion(Leaves()[0], 0, lie, *ProveInclusion(source, 0, size)));
            for (std::size_t old_size = 1; old_size < size; ++old_size) {
                ASSERT_FALSE(VerifyConsistency(Head(old_size), lie,
                                               *ProveConsistency(source, old_size, size)))
                    << old_size << ", " << size;
            }
        }
    }
}

TEST(PrunedSource, ProvesWhatIsLeft) {
    MemorySource whole(Leaves());
    constexpr std::size_t kLargest = 70;
    for (std::size_t dropped = 0; dropped <= kLargest; ++dropped) {
        const Frontier front = *FrontierOf(whole, dropped);
        MemorySource rest(Leaves());
        rest.Forget(dropped);
        PrunedSource pruned(front, rest);
        for (std::size_t size = dropped; size <= kLargest; ++size) {
            ASSERT_EQ(RootOf(pruned, size), Head(size).root) << dropped << ", " << size;
            ASSERT_EQ(FrontierOf(pruned, size), FrontierOf(whole, size));
            for (std::size_t other = dropped; other <= size; ++other) {
                ASSERT_EQ(ProveConsistency(pruned, other, size),
                          ProveConsistency(whole, other, size))
                    << dropped << ", " << other << ", " << size;
            }
            for (std::size_t index = dropped; index < size; ++index) {
                ASSERT_EQ(ProveInclusion(pruned, index, size), ProveInclusion(whole, index, size));
            }
        }
    }
}

TEST(PrunedSource, SaysWhatIsGone) {
    MemorySource whole(Leaves());
    const Frontier front = *FrontierOf(whole, 100);  // 64, 32 and 4 leaves
    whole.Forget(100);
    PrunedSource pruned(front, whole);
    EXPECT_FALSE(pruned.Find({0, 0}).has_value());
    EXPECT_FALSE(pruned.Find({5, 0}).has_value());
    EXPECT_TRUE(pruned.Find({6, 0}).has_value());
    EXPECT_TRUE(pruned.Find({7, 0}).has_value());
    EXPECT_FALSE(RootOf(pruned, 99).has_value());
    EXPECT_TRUE(RootOf(pruned, 96).has_value());
    EXPECT_FALSE(ProveInclusion(pruned, 97, 130).has_value());
    EXPECT_FALSE(ProveConsistency(pruned, 97, 130).has_value());
}

}  // namespace
}  // namespace rampart::audit
