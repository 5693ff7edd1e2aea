#include "mail/address.hpp"

#include <algorithm>

#include "mail/text.hpp"

namespace rampart::server::mail {
namespace {

constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 100;

bool IsAlphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5322, 3.2.3: atext, and the dot. Where dots stand is the receiver's business: some give out
// addresses with two in a row.
bool IsLocalCharacter(char c) {
    constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~.";
    return IsAlphanumeric(c) || kOthers.find(c) != std::string_view::npos;
}

bool IsLabel(std::string_view label) {
    return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
           label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return IsAlphanumeric(c) || c == '-'; });
}

bool IsDomain(std::string_view domain) {
    for (;;) {
        const std::size_t dot = domain.find('.');
        if (!IsLabel(domain.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        domain.remove_prefix(dot + 1);
    }
}

std::string_view Trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

bool IsAddress(std::string_view address) {
    if (address.size() > kMaxAddress) return false;
    const std::size_t at = address.find('@');
    if (at == 0 || at == std::string_view::npos || at > kMaxLocalPart) return false;
    return std::ranges::all_of(address.substr(0, at), IsLocalCharacter) &&
           IsDomain(address.substr(at + 1));
}

std::string_view Mailbox::domain() const {
    return std::string_view(address).substr(address.find('@') + 1);
}

std::optional<Mailbox> ParseMailbox(std::string_view text) {
    text = Trimmed(text);
    if (IsAddress(text)) return Mailbox{{}, std::string(text)};
    const std::size_t open = text.rfind('<');
    if (open == std::string_view::npos || !text.ends_with('>')) return std::nullopt;
    const std::string_view address = text.substr(open + 1, text.size() - open - 2);
    std::string_view name = Trimmed(text.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
        name = name.substr(1, name.size() - 2);
    }
    if (!IsAddress(address) || name.size() > kMaxName || !IsOneLine(name)) return std::nullopt;
    return Mailbox{std::string(name), std::string(address)};
}

}  // namespace rampart::server::mail
