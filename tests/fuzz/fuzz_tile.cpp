// Input: the path of a tile. What reads as one must print as it was read, and be of a possible
// tree.
#include "audit/tile.hpp"
#include "fuzz.hpp"

using namespace rampart;
using namespace rampart::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view path = AsText({data, size});
    const auto tile = ParseTilePath(path);
    if (!tile) return 0;
    fuzz::Require(TilePath(*tile) == path, "each tile has one path");
    fuzz::Require(tile->level < kTileLevels && tile->width >= 1 && tile->width <= kTileWidth,
                  "level and width are in range");
    fuzz::Require(tile->index <= HashesAtLevel(tile->level, kMaxTreeSize) / kTileWidth,
                  "the tile is of a possible tree");
    return 0;
}
