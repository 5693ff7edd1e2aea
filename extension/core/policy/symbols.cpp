#include "policy/symbols.hpp"

#include <algorithm>
#include <functional>

namespace rampart::policy {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kBlockSize = 64UL * 1024;

std::size_t HashOf(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

// The slot that holds `text`, or the free one where it belongs.
std::size_t SymbolTable::SlotOf(std::string_view text) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = HashOf(text) & mask;
    while (slots_[slot] != kNoSymbol && texts_[slots_[slot]] != text) slot = (slot + 1) & mask;
    return slot;
}

Symbol SymbolTable::Find(std::string_view text) const {
    return slots_.empty() ? kNoSymbol : slots_[SlotOf(text)];
}

Symbol SymbolTable::Intern(std::string_view text) {
    if (2 * (texts_.size() + 1) > slots_.size()) Grow();
    Symbol& slot = slots_[SlotOf(text)];
    if (slot == kNoSymbol) {
        slot = static_cast<Symbol>(texts_.size());
        texts_.push_back(Keep(text));
    }
    return slot;
}

void SymbolTable::Grow() {
    slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), kNoSymbol);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        slots_[SlotOf(texts_[i])] = static_cast<Symbol>(i);
    }
}

std::string_view SymbolTable::Keep(std::string_view text) {
    if (storage_.empty() || storage_.back().capacity() - storage_.back().size() < text.size()) {
        storage_.emplace_back().reserve(std::max(kBlockSize, text.size()));
    }
    std::string& block = storage_.back();
    const std::size_t start = block.size();
    block += text;  // within its capacity: what points into it stays
    return std::string_view(block).substr(start);
}

}  // namespace rampart::policy
