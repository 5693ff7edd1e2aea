#include "audit/tile.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace rampart::audit {
namespace {

constexpr std::string_view kRoot = "tile/";
constexpr std::string_view kPartial = ".p/";
constexpr unsigned kGroup = 1000;  // tiles in a folder

// Three digits to a path element, all but the last marked with an x.
std::string IndexPath(std::uint64_t index) {
    const auto digits = [](std::uint64_t group) {
        return std::to_string(kGroup + group).substr(1);
    };
    std::string path = digits(index % kGroup);
    while ((index /= kGroup) != 0) path.insert(0, "x" + digits(index % kGroup) + "/");
    return path;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

template <typename Number>
bool TakeNumber(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool TakeIndex(std::string_view& text, std::uint64_t& index) {
    constexpr std::size_t kDigits = 3;
    index = 0;
    for (bool more = true; more;) {
        more = TakePrefix(text, "x");
        std::string_view digits = text.substr(0, kDigits);
        unsigned group = 0;
        if (digits.size() != kDigits || !TakeNumber(digits, group) || !digits.empty()) return false;
        text.remove_prefix(kDigits);
        if (more && !TakePrefix(text, "/")) return false;
        if (index > (kMaxTreeSize - group) / kGroup) return false;
        index = index * kGroup + group;
    }
    return true;
}

// The root of the subtree whose leaves are `count` hashes, a power of two.
Hash Fold(const Hash* first, std::uint64_t count) {
    std::array<Hash, kTileWidth> level;
    std::copy_n(first, count, level.begin());
    for (; count > 1; count /= 2) {
        for (std::size_t i = 0; i < count / 2; ++i) {
            level[i] = NodeHash(level[2 * i], level[2 * i + 1]);
        }
    }
    return level[0];
}

std::optional<std::vector<Hash>> ReadTile(TileReader& reader, const Tile& tile) {
    const auto bytes = reader.Read(tile);
    auto hashes = bytes ? HashesOf(*bytes) : std::nullopt;
    if (!hashes || hashes->size() < tile.width || hashes->size() > kTileWidth) return std::nullopt;
    return hashes;
}

}  // namespace

std::string TilePath(const Tile& tile) {
    std::string path(kRoot);
    path += std::to_string(tile.level) + "/" + IndexPath(tile.index);
    if (tile.width != kTileWidth) path += std::string(kPartial) + std::to_string(tile.width);
    return path;
}

std::optional<Tile> ParseTilePath(std::string_view path) {
    Tile tile;
    std::string_view rest = path;
    if (!TakePrefix(rest, kRoot) || !TakeNumber(rest, tile.level) || !TakePrefix(rest, "/") ||
        !TakeIndex(rest, tile.index)) {
        return std::nullopt;
    }
    if (TakePrefix(rest, kPartial) && !TakeNumber(rest, tile.width)) return std::nullopt;
    if (!rest.empty() || tile.level >= kTileLevels || tile.width == 0 || tile.width > kTileWidth ||
        tile.index > HashesAtLevel(tile.level, kMaxTreeSize) / kTileWidth) {
        return std::nullopt;
    }
    // Leading zeros and a full tile written as a partial one.
    return TilePath(tile) == path ? std::optional(tile) : std::nullopt;
}

std::vector<Tile> ChangedTiles(std::uint64_t old_size, std::uint64_t new_size) {
    std::vector<Tile> tiles;
    for (unsigned level = 0; level < kTileLevels; ++level) {
        const std::uint64_t end = HashesAtLevel(level, new_size);
        for (std::uint64_t begin = HashesAtLevel(level, old_size); begin < end;) {
            const std::uint64_t index = begin / kTileWidth;
            const std::uint64_t width =
                std::min<std::uint64_t>(end - index * kTileWidth, kTileWidth);
            tiles.push_back({level, index, static_cast<unsigned>(width)});
            begin = (index + 1) * kTileWidth;
        }
    }
    return tiles;
}

std::optional<Hash> TileHashes::Find(Subtree subtree) {
    if (subtree.level >= kTileHeight * kTileLevels) return std::nullopt;
    const unsigned level = subtree.level / kTileHeight;
    const unsigned height = subtree.level % kTileHeight;
    const std::uint64_t hashes = HashesAtLevel(level, size_);
    if (subtree.index >= hashes >> height) return std::nullopt;
    const std::uint64_t first = subtree.index << height;
    const std::uint64_t tile_begin = first / kTileWidth * kTileWidth;
    const std::uint64_t width = std::min<std::uint64_t>(hashes - tile_begin, kTileWidth);
    const auto* tile = Load({level, tile_begin / kTileWidth, static_cast<unsigned>(width)});
    if (tile == nullptr) return std::nullopt;
    return Fold(tile->data() + (first - tile_begin), std::uint64_t{1} << height);
}

const std::vector<Hash>* TileHashes::Load(const Tile& tile) {
    Cached& cached = cache_[tile.level];
    if (cached.tile != tile) {
        auto hashes = ReadTile(reader_, tile);
        if (!hashes) return nullptr;
        cached = {tile, std::move(*hashes)};
    }
    return &cached.hashes;
}

std::optional<TileBuilder> TileBuilder::Resume(TileReader& reader, std::uint64_t size) {
    if (size > kMaxTreeSize) return std::nullopt;
    TileBuilder builder;
    builder.size_ = builder.flushed_ = size;
    for (unsigned level = 0; level < kTileLevels; ++level) {
        builder.partial_[level].reserve(kTileWidth);
        const Tile last = builder.Last(level);
        if (last.width == 0) continue;
        const auto hashes = ReadTile(reader, last);
        if (!hashes) return std::nullopt;
        // A tile that is wider was written by somebody who got further: its rest is not of this
        // tree.
        std::copy_n(hashes->begin(), last.width, std::back_inserter(builder.partial_[level]));
    }
    return builder;
}

Tile TileBuilder::Last(unsigned level) const {
    const std::uint64_t hashes = HashesAtLevel(level, size_);
    return {level, hashes / kTileWidth, static_cast<unsigned>(hashes % kTileWidth)};
}

void TileBuilder::Append(const Hash& leaf, TileWriter& writer) {
    Hash hash = leaf;
    for (unsigned level = 0; level < kTileLevels; ++level) {
        std::vector<Hash>& tile = partial_[level];
        tile.push_back(hash);
        if (tile.size() < kTileWidth) break;
        writer.Write({level, HashesAtLevel(level, size_) / kTileWidth, kTileWidth}, BytesOf(tile));
        hash = Fold(tile.data(), kTileWidth);
        tile.clear();
    }
    ++size_;
}

void TileBuilder::Flush(TileWriter& writer) {
    for (unsigned level = 0; level < kTileLevels; ++level) {
        const Tile last = Last(level);
        const bool grown = HashesAtLevel(level, size_) != HashesAtLevel(level, flushed_);
        if (grown && last.width != 0) writer.Write(last, BytesOf(partial_[level]));
    }
    flushed_ = size_;
}

}  // namespace rampart::audit
