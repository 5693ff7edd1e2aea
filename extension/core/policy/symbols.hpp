// Strings of rules as small numbers, so that rules are compared and hashed by number.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::policy {

using Symbol = std::uint32_t;
inline constexpr Symbol kNoSymbol = 0xffffffff;  // a string that no rule holds

inline std::uint64_t MixHash(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ (hash >> 29);
}

class SymbolTable {
  public:
    Symbol Intern(std::string_view text);
    Symbol Find(std::string_view text) const;  // kNoSymbol if it is not there
    std::string_view Text(Symbol symbol) const { return texts_[symbol]; }
    std::size_t size() const { return texts_.size(); }

  private:
    std::size_t SlotOf(std::string_view text) const;
    void Grow();
    std::string_view Keep(std::string_view text);

    std::vector<std::string_view> texts_;
    std::vector<Symbol> slots_;        // open addressing, a power of two, at most half full
    std::deque<std::string> storage_;  // blocks that never move
};

}  // namespace rampart::policy
