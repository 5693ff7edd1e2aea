// Hashes of leaves and nodes, and the frontier.
#include <gtest/gtest.h>

#include "audit_trees.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;
using test::DefinedRoot;
using test::Hex;
using test::NumberedLeaves;

// The roots that Certificate Transparency's own tests have for the first 0 to 8 well-known leaves.
constexpr const char* kWellKnownRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST(Frontier, HasTheRootsOfCertificateTransparency) {
    Frontier frontier;
    EXPECT_EQ(Hex(frontier.Root()), kWellKnownRoots[0]);
    for (const Hash& leaf : test::WellKnownLeaves()) {
        frontier.Append(leaf);
        EXPECT_EQ(Hex(frontier.Root()), kWellKnownRoots[frontier.size()]);
    }
    EXPECT_EQ(frontier.size(), 8U);
}

TEST(Frontier, HasTheRootsOfTheDefinition) {
    const auto leaves = NumberedLeaves(300);
    Frontier frontier;
    for (std::size_t size = 0; size < leaves.size(); ++size) {
        ASSERT_EQ(frontier.Root(), DefinedRoot(test::Hashes(leaves).first(size))) << size;
        frontier.Append(leaves[size]);
    }
}

TEST(Frontier, GoesOnAfterItWasStored) {
    const auto leaves = NumberedLeaves(130);
    Frontier whole;
    Frontier stored;
    for (const Hash& leaf : leaves) {
        whole.Append(leaf);
        stored.Append(leaf);
        const Bytes bytes = stored.Serialise();
        const auto parsed = Frontier::Parse(bytes);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(*parsed, stored);
        EXPECT_EQ(Frontier::Restore(stored.size(), stored.hashes()), stored);
        stored = *parsed;
        EXPECT_EQ(stored.Root(), whole.Root());
    }
}

TEST(Frontier, FindsItsSubtreesAndNoOther) {
    const auto leaves = NumberedLeaves(45);
    test::MemorySource source(leaves);
    Frontier frontier;
    for (const Hash& leaf : leaves) frontier.Append(leaf);
    std::size_t found = 0;
    for (unsigned level = 0; level < 70; ++level) {
        for (std::uint64_t index = 0; index < 64; ++index) {
            const auto hash = frontier.Find({level, index});
            if (!hash) continue;
            ++found;
            EXPECT_EQ(hash, source.Find({level, index}));
        }
    }
    EXPECT_EQ(found, frontier.hashes().size());
}

TEST(Frontier, RefusesWhatIsNone) {
    const std::vector<Hash> hashes(64);
    const test::Hashes all(hashes);
    EXPECT_TRUE(Frontier::Restore(0, {}).has_value());
    EXPECT_TRUE(Frontier::Restore(kMaxTreeSize, all.first(63)).has_value());
    EXPECT_FALSE(Frontier::Restore(kMaxTreeSize + 1, all.first(1)).has_value());
    EXPECT_FALSE(Frontier::Restore(~std::uint64_t{0}, all).has_value());
    EXPECT_FALSE(Frontier::Restore(0, all.first(1)).has_value());
    EXPECT_FALSE(Frontier::Restore(3, all.first(1)).has_value());
    EXPECT_FALSE(Frontier::Restore(4, all.first(2)).has_value());

    Frontier frontier;
    for (const Hash& leaf : NumberedLeaves(7)) frontier.Append(leaf);
    Bytes bytes = frontier.Serialise();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(Frontier::Parse(ByteView(bytes).first(size)).has_value()) << size;
    }
    bytes.push_back(0);
    EXPECT_FALSE(Frontier::Parse(bytes).has_value());
}

TEST(Frontier, GrowsPastTheLargestTree) {
    const std::vector<Hash> hashes(63);
    auto frontier = Frontier::Restore(kMaxTreeSize, hashes);
    ASSERT_TRUE(frontier.has_value());
    frontier->Append(Hash{});
    EXPECT_EQ(frontier->size(), kMaxTreeSize + 1);
    EXPECT_EQ(frontier->hashes().size(), 1U);
}

TEST(Hashes, AreBytesAndBack) {
    const auto leaves = NumberedLeaves(3);
    EXPECT_EQ(BytesOf(leaves).size(), 96U);
    EXPECT_EQ(HashesOf(BytesOf(leaves)), leaves);
    EXPECT_EQ(HashesOf({})->size(), 0U);
    EXPECT_FALSE(HashesOf(BytesOf(leaves).first(95)).has_value());
}

}  // namespace
}  // namespace rampart::audit
