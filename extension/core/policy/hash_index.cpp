#include "policy/hash_index.hpp"

#include <bit>

namespace rampart::policy {

void HashIndex::Build(std::span<const Entry> entries) {
    slots_.assign(std::bit_ceil(2 * entries.size() + 2), {});
    numbers_.resize(entries.size());
    for (const Entry& entry : entries) {
        Slot& slot = slots_[SlotOf(entry.first)];
        slot.key = entry.first;
        ++slot.count;
    }
    std::uint32_t begin = 0;
    for (Slot& slot : slots_) {
        begin += slot.count;
        slot.begin = begin;
    }
    // Backwards, so that each slot's begin ends up at its first number.
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        numbers_[--slots_[SlotOf(entry->first)].begin] = entry->second;
    }
}

}  // namespace rampart::policy
