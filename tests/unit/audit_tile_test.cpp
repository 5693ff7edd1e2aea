// Tiles: paths, which ones a tree has, hashes read from them, growth.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "audit/tile.hpp"
#include "audit_trees.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;
using test::MemorySource;
using test::NumberedLeaves;

// As a table of tiles would be: one row a level and index, whose hashes are replaced.
class MemoryTiles : public TileReader, public TileWriter {
  public:
    std::optional<Bytes> Read(const Tile& tile) override {
        ++reads;
        const auto found = tiles.find({tile.level, tile.index});
        return found == tiles.end() ? std::nullopt : std::optional(found->second);
    }
    void Write(const Tile& tile, ByteView hashes) override {
        EXPECT_EQ(hashes.size(), tile.width * sizeof(Hash));
        Bytes& stored = tiles[{tile.level, tile.index}];
        EXPECT_LT(stored.size(), hashes.size()) << "nothing is written twice";
        EXPECT_TRUE(std::equal(stored.begin(), stored.end(), hashes.begin()));
        stored.assign(hashes.begin(), hashes.end());
        written.push_back(tile);
    }

    std::map<std::pair<unsigned, std::uint64_t>, Bytes> tiles;
    std::vector<Tile> written;
    int reads = 0;
};

TEST(TilePath, IsAsTheSpecificationHasIt) {
    EXPECT_EQ(TilePath({0, 1234067, 256}), "tile/0/x001/x234/067");
    EXPECT_EQ(TilePath({0, 1234, 256}), "tile/0/x001/234");
    EXPECT_EQ(TilePath({1, 0, 5}), "tile/1/000.p/5");
    EXPECT_EQ(TilePath({0, 999, 255}), "tile/0/999.p/255");
    EXPECT_EQ(TilePath({0, 1000, 1}), "tile/0/x001/000.p/1");
    const std::uint64_t last = kMaxTreeSize / 256;
    EXPECT_EQ(TilePath({0, last, 256}), "tile/0/x036/x028/x797/x018/x963/967");
    EXPECT_EQ(ParseTilePath(TilePath({0, last, 256})), (Tile{0, last, 256}));
    for (std::uint64_t index = 0; index < 2'000'000; index += 333) {
        for (const unsigned width : {1U, 99U, 255U, 256U}) {
            const Tile tile{2, index, width};
            ASSERT_EQ(ParseTilePath(TilePath(tile)), tile);
        }
    }
}

TEST(TilePath, RefusesEveryOtherForm) {
    for (const char* path : {"",
                             "tile",
                             "tile/",
                             "tile/0",
                             "tile/0/",
                             "tile/0/0",
                             "tile/0/00",
                             "tile/0/0000",
                             "tile/0/x001",
                             "tile/0/x001/",
                             "tile/0/x001/23",
                             "tile/0/x000/001",
                             "tile/0/001/234",
                             "tile/0/x001/x234",
                             "tile/0/X001/234",
                             "tile/00/000",
                             "tile/8/000",
                             "tile/64/000",
                             "tile/-1/000",
                             "tile/+1/000",
                             "tile/0/-01",
                             "tile/0/+01",
                             "tile/0/ 01",
                             "tile/data/000",
                             "tile/entries/000",
                             "tile/0/000.p/0",
                             "tile/0/000.p/256",
                             "tile/0/000.p/01",
                             "tile/0/000.p/257",
                             "tile/0/000.p/",
                             "tile/0/000.p",
                             "tile/0/000.p/5/",
                             "tile/0/000/",
                             "/tile/0/000",
                             "tile/0/000\n",
                             "tile/0/x036/x028/x797/x018/x963/968",
                             "tile/7/000.p/129/",
                             "tile/7/001",
                             "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                             "tile/99999999999999999999/000",
                             "tile/0/000.p/99999999999999999999"}) {
        EXPECT_FALSE(ParseTilePath(path).has_value()) << path;
    }
}

TEST(ChangedTiles, AreThoseOfTheSpecification) {
    // 70,000 entries: 273 full tiles and one of 112, one full and one of 17, one of 1.
    const auto tiles = ChangedTiles(0, 70'000);
    ASSERT_EQ(tiles.size(), 273U + 1 + 1 + 1 + 1);
    EXPECT_EQ(tiles[272], (Tile{0, 272, 256}));
    EXPECT_EQ(tiles[273], (Tile{0, 273, 112}));
    EXPECT_EQ(tiles[274], (Tile{1, 0, 256}));
    EXPECT_EQ(tiles[275], (Tile{1, 1, 17}));
    EXPECT_EQ(tiles[276], (Tile{2, 0, 1}));

    EXPECT_EQ(ChangedTiles(0, 256), (std::vector<Tile>{{0, 0, 256}, {1, 0, 1}}));
    EXPECT_EQ(ChangedTiles(255, 256), (std::vector<Tile>{{0, 0, 256}, {1, 0, 1}}));
    EXPECT_EQ(ChangedTiles(256, 257), (std::vector<Tile>{{0, 1, 1}}));
    EXPECT_TRUE(ChangedTiles(70'000, 70'000).empty());
    EXPECT_TRUE(ChangedTiles(0, 0).empty());
    EXPECT_EQ(ChangedTiles(kMaxTreeSize - 1, kMaxTreeSize).size(), 1U);
}

constexpr std::size_t kLarge = 70'000;
const std::vector<Hash>& Leaves() {
    static const std::vector<Hash> leaves = NumberedLeaves(kLarge);
    return leaves;
}

// Grows to each of `sizes` in turn, with a new builder for each step, as transactions do.
void Grow(MemoryTiles& store, std::initializer_list<std::size_t> sizes) {
    std::size_t size = 0;
    for (const std::size_t target : sizes) {
        auto builder = TileBuilder::Resume(store, size);
        ASSERT_TRUE(builder.has_value());
        store.written.clear();
        auto expected = ChangedTiles(size, target);
        for (; size < target; ++size) builder->Append(Leaves()[size], store);
        builder->Flush(store);
        EXPECT_EQ(builder->size(), target);
        const auto order = [](const Tile& a, const Tile& b) {
            return std::pair(a.level, a.index) < std::pair(b.level, b.index);
        };
        std::ranges::sort(store.written, order);
        EXPECT_EQ(store.written, expected);
    }
}

TEST(TileBuilder, GrowsInAnySteps) {
    MemoryTiles at_once;
    MemoryTiles in_steps;
    Grow(at_once, {kLarge});
    Grow(in_steps, {1, 2, 255, 256, 257, 511, 512, 513, 513, 65'535, 65'536, 65'537, kLarge});
    EXPECT_EQ(at_once.tiles, in_steps.tiles);
}

TEST(TileBuilder, FlushesMoreThanOnce) {
    MemoryTiles store;
    auto builder = TileBuilder::Resume(store, 0);
    for (std::size_t i = 0; i < 600; ++i) {
        builder->Append(Leaves()[i], store);
        builder->Flush(store);
        builder->Flush(store);
    }
    MemoryTiles at_once;
    Grow(at_once, {600});
    EXPECT_EQ(store.tiles, at_once.tiles);
}

// After a crash between the tiles and the head that was to name them.
TEST(TileBuilder, ResumesFromTilesThatGotFurther) {
    MemoryTiles store;
    Grow(store, {300});
    MemoryTiles again;
    auto builder = TileBuilder::Resume(store, 290);
    for (std::size_t i = 290; i < 300; ++i) builder->Append(Leaves()[i], again);
    builder->Flush(again);
    EXPECT_EQ(again.written, (std::vector<Tile>{{0, 1, 44}}));
    EXPECT_EQ((again.tiles[{0, 1}]), (store.tiles[{0, 1}]));
}

TEST(TileBuilder, DoesNotResumeWithoutItsTiles) {
    MemoryTiles store;
    Grow(store, {300});
    EXPECT_TRUE(TileBuilder::Resume(store, 300).has_value());
    EXPECT_TRUE(TileBuilder::Resume(store, 299).has_value());  // the tile is wider than needed
    EXPECT_FALSE(TileBuilder::Resume(store, 301).has_value());
    EXPECT_FALSE(TileBuilder::Resume(store, kMaxTreeSize + 1).has_value());
    store.tiles.erase({1, 0});
    EXPECT_FALSE(TileBuilder::Resume(store, 300).has_value());
}

TEST(TileHashes, FindEverySubtree) {
    MemoryTiles store;
    Grow(store, {kLarge});
    MemorySource source(Leaves());
    TileHashes hashes(store, kLarge);
    for (unsigned level = 0; level < 20; ++level) {
        for (std::uint64_t index = 0; index <= kLarge >> level; index += level < 5 ? 7 : 1) {
            ASSERT_EQ(hashes.Find({level, index}), source.Find({level, index}))
                << level << ", " << index;
        }
    }
    EXPECT_FALSE(hashes.Find({63, 0}).has_value());
    EXPECT_FALSE(hashes.Find({64, 0}).has_value());
    EXPECT_FALSE(hashes.Find({0, ~std::uint64_t{0}}).has_value());
}

TEST(TileHashes, ProveWithEachTileReadOnce) {
    MemoryTiles store;
    Grow(store, {kLarge});
    MemorySource source(Leaves());
    const std::uint64_t index = 12'345;
    TileHashes hashes(store, kLarge);
    store.reads = 0;
    EXPECT_EQ(ProveInclusion(hashes, index, kLarge), ProveInclusion(source, index, kLarge));
    EXPECT_LE(store.reads, 5);  // its own tile of each level, and the last one
    EXPECT_EQ(ProveConsistency(hashes, 33'333, kLarge), ProveConsistency(source, 33'333, kLarge));
    // An older tree, of which the stored tiles are wider.
    TileHashes older(store, 300);
    EXPECT_EQ(RootOf(older, 300), RootOf(source, 300));
    EXPECT_FALSE(older.Find({0, 300}).has_value());
    EXPECT_FALSE(RootOf(older, 301).has_value());
}

TEST(TileHashes, SayWhatIsMissing) {
    MemoryTiles store;
    Grow(store, {1000});
    const auto whole = store.tiles;
    const auto refused = [&] {
        TileHashes hashes(store, 1000);
        return !RootOf(hashes, 1000).has_value();
    };
    EXPECT_FALSE(refused());
    Bytes& last = store.tiles[{0, 3}];
    last.pop_back();
    EXPECT_TRUE(refused());
    last.resize(last.size() - 31);  // a hash less
    EXPECT_TRUE(refused());
    last.resize(257 * sizeof(Hash));  // more than a tile
    EXPECT_TRUE(refused());
    store.tiles = whole;
    store.tiles.erase({1, 0});
    EXPECT_TRUE(refused());
}

TEST(TileHashes, ServeAPrunedLog) {
    MemoryTiles store;
    Grow(store, {kLarge});
    MemorySource source(Leaves());
    constexpr std::uint64_t kDropped = 1000;
    const Frontier front = *FrontierOf(source, kDropped);
    for (std::uint64_t index = 0; index < kDropped / kTileWidth; ++index) {
        store.tiles.erase({0, index});
    }
    TileHashes hashes(store, kLarge);
    PrunedSource pruned(front, hashes);
    EXPECT_EQ(RootOf(pruned, kLarge), RootOf(source, kLarge));
    EXPECT_EQ(ProveConsistency(pruned, kDropped, kLarge),
              ProveConsistency(source, kDropped, kLarge));
    EXPECT_EQ(ProveInclusion(pruned, kDropped, kLarge), ProveInclusion(source, kDropped, kLarge));
    EXPECT_FALSE(ProveInclusion(pruned, 5, kLarge).has_value());
}

}  // namespace
}  // namespace rampart::audit
