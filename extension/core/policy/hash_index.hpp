// From a 64-bit key to the numbers that were added under it, in the order they were added.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace rampart::policy {

class HashIndex {
  public:
    using Entry = std::pair<std::uint64_t, std::uint32_t>;

    void Build(std::span<const Entry> entries);
    std::span<const std::uint32_t> Find(std::uint64_t key) const {
        if (slots_.empty()) return {};
        const Slot& slot = slots_[SlotOf(key)];
        return std::span(numbers_).subspan(slot.begin, slot.count);
    }

  private:
    struct Slot {
        std::uint64_t key = 0;
        std::uint32_t begin = 0;
        std::uint32_t count = 0;  // 0 in a free one
    };
    std::size_t SlotOf(std::uint64_t key) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t slot = Scramble(key) & mask;
        while (slots_[slot].count != 0 && slots_[slot].key != key) slot = (slot + 1) & mask;
        return slot;
    }
    static std::size_t Scramble(std::uint64_t key) {
        key *= 0x9e3779b97f4a7c15ULL;
        return static_cast<std::size_t>(key ^ (key >> 32));
    }

    std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
    std::vector<std::uint32_t> numbers_;
};

}  // namespace rampart::policy
