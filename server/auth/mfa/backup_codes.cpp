#include "auth/mfa/backup_codes.hpp"

#include <array>
#include <set>

#include "crypto/random.hpp"

namespace rampart::server::mfa {
namespace {

// 32 characters, so that five random bits are one: neither I and 1 nor O and 0.
constexpr std::string_view kAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::size_t kCharacters = 12;
static_assert(kAlphabet.size() == 32);

std::string Grouped(std::string_view characters) {
    return std::string(characters.substr(0, 4))
        .append("-")
        .append(characters.substr(4, 4))
        .append("-")
        .append(characters.substr(8));
}

std::string NewCode() {
    std::array<std::uint8_t, kCharacters> random;
    RandomBytes(random);
    std::string characters;
    for (const std::uint8_t byte : random) characters += kAlphabet[byte & 31];
    return Grouped(characters);
}

}  // namespace

std::vector<std::string> NewBackupCodes() {
    std::vector<std::string> codes;
    std::set<std::string> selectors;
    while (codes.size() < kBackupCodes) {
        std::string code = NewCode();
        if (selectors.insert(SelectorOf(code)).second) codes.push_back(std::move(code));
    }
    return codes;
}

std::optional<std::string> NormalBackupCode(std::string_view typed) {
    std::string characters;
    for (char c : typed) {
        if (c == '-' || c == ' ') continue;
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (kAlphabet.find(c) == std::string_view::npos) return std::nullopt;
        characters += c;
        if (characters.size() > kCharacters) return std::nullopt;
    }
    if (characters.size() != kCharacters) return std::nullopt;
    return Grouped(characters);
}

}  // namespace rampart::server::mfa
