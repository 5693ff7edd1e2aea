// rampart.audit_tile as tiles: the hashes of a class's tree.
#pragma once

#include <string>
#include <vector>

#include "pg/postgres.hpp"

#include "audit/tile.hpp"

namespace rampart::pg::audit {

// Connects to the server's SPI for as long as it lives; reads and writes as the extension's owner
// would, with the rights of the caller: only functions that run as the owner use it.
class StoredTiles : public rampart::audit::TileReader, public rampart::audit::TileWriter {
  public:
    explicit StoredTiles(std::string log_class);

    std::optional<std::vector<std::uint8_t>> Read(const rampart::audit::Tile& tile) override;
    void Write(const rampart::audit::Tile& tile, ByteView hashes) override;

    // To be called when all is done. Where an error ends the work, the transaction's end does it.
    void Finish();

  private:
    std::string log_class_;
    MemoryContext memory_;  // of one call; a tree has any number of tiles
};

// The tree of a class as it is stored: its first `front` leaves pruned, of the rest all tiles.
class StoredTree : public rampart::audit::HashSource {
  public:
    StoredTree(StoredTiles& tiles, const rampart::audit::Frontier& front, std::uint64_t size)
        : hashes_(tiles, size), pruned_(front, hashes_) {}
    std::optional<rampart::audit::Hash> Find(rampart::audit::Subtree subtree) override {
        return pruned_.Find(subtree);
    }

  private:
    rampart::audit::TileHashes hashes_;
    rampart::audit::PrunedSource pruned_;
};

}  // namespace rampart::pg::audit
