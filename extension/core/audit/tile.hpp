// Hashes of a log in tiles, as C2SP tlog-tiles lays them out (c2sp.org/tlog-tiles).
//
// A tile of level L is 256 consecutive hashes of complete subtrees of 256^L leaves; tiles of level
// 0 hold leaf hashes. The last tile of a level may be partial: the first `width` of its hashes. A
// hash is in one tile of one level only, the seven levels of nodes between two levels of tiles are
// hashed anew when they are wanted.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.hpp"
#include "audit/proof.hpp"

namespace rampart::audit {

inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileWidth = 1U << kTileHeight;
inline constexpr unsigned kTileLevels = 8;  // as many as a tree of kMaxTreeSize leaves has

struct Tile {
    unsigned level = 0;
    std::uint64_t index = 0;      // within the level
    unsigned width = kTileWidth;  // hashes, 1 to 256

    bool operator==(const Tile&) const = default;
};

// Hashes of one level in a tree of `size` leaves.
inline std::uint64_t HashesAtLevel(unsigned level, std::uint64_t size) {
    return size >> (kTileHeight * level);
}

// "tile/0/x001/x234/067" for a full tile, with ".p/5" behind it for one of 5 hashes.
std::string TilePath(const Tile& tile);

// Refuses what TilePath does not write, and tiles that no tree of kMaxTreeSize leaves has.
std::optional<Tile> ParseTilePath(std::string_view path);

// The tiles that a tree of `new_size` leaves has and one of `old_size` has not, or with fewer
// hashes: what is to be written or fetched when it grows. By level, then by index. The widths are
// those of the new tree.
std::vector<Tile> ChangedTiles(std::uint64_t old_size, std::uint64_t new_size);

// Stored tiles. Implemented by whoever stores them.
class TileReader {
  public:
    virtual ~TileReader() = default;
    // The hashes as bytes, `tile.width` of them or more, because a partial tile may have grown
    // since. Nothing if it is not there.
    virtual std::optional<std::vector<std::uint8_t>> Read(const Tile& tile) = 0;
};

class TileWriter {
  public:
    virtual ~TileWriter() = default;
    // Replaces a narrower tile of the same level and index. Full tiles are written once.
    virtual void Write(const Tile& tile, ByteView hashes) = 0;
};

// The hashes of the tree of `size` leaves that `reader` holds. Keeps the last tile of each level,
// so that a proof reads each tile once. Trusts the tiles: the root made of them is to be compared
// with a signed one.
class TileHashes : public HashSource {
  public:
    TileHashes(TileReader& reader, std::uint64_t size) : reader_(reader), size_(size) {}

    // Nothing also for subtrees beyond the tree.
    std::optional<Hash> Find(Subtree subtree) override;

  private:
    struct Cached {
        Tile tile{.level = 0, .index = 0, .width = 0};
        std::vector<Hash> hashes;
    };
    const std::vector<Hash>* Load(const Tile& tile);

    TileReader& reader_;
    std::uint64_t size_;
    std::array<Cached, kTileLevels> cache_;
};

// Grows the stored tiles of a tree, in memory for at most one tile a level. A full tile goes to the
// writer when its last hash arrives; the partial ones go with Flush().
class TileBuilder {
  public:
    // Continues a tree of `size` leaves. Nothing if `size` > kMaxTreeSize or one of its partial
    // tiles is not there.
    static std::optional<TileBuilder> Resume(TileReader& reader, std::uint64_t size);

    void Append(const Hash& leaf, TileWriter& writer);
    void Flush(TileWriter& writer);  // what was appended since the last Flush()

    std::uint64_t size() const { return size_; }

  private:
    TileBuilder() = default;
    Tile Last(unsigned level) const;

    std::uint64_t size_ = 0;
    std::uint64_t flushed_ = 0;
    std::array<std::vector<Hash>, kTileLevels> partial_;
};

}  // namespace rampart::audit
