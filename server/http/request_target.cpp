#include "http/request_target.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "utf8.hpp"

namespace rampart::server::http {
namespace {

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> Decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = HexDigit(text[i + 1]);
        const int low = HexDigit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return decoded;
}

bool IsControl(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

// `path` is decoded; a slash that was encoded would part segments that the client held together.
bool IsPath(std::string_view encoded, std::string_view path) {
    if (std::count(encoded.begin(), encoded.end(), '/') !=
        std::count(path.begin(), path.end(), '/'))
        return false;
    for (std::string_view rest = path; !rest.empty();) {
        rest.remove_prefix(1);
        const std::string_view segment = rest.substr(0, rest.find('/'));
        if (segment == "." || segment == "..") return false;
        rest.remove_prefix(segment.size());
    }
    return EachCodePoint(path, [](char32_t c) { return !IsControl(c) && c != '\\'; });
}

}  // namespace

bool IsTarget(std::string_view target) {
    if (!target.starts_with('/') || target.starts_with("//")) return false;
    const bool is_plain = std::all_of(target.begin(), target.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '#' && c != '\\';
    });
    if (!is_plain) return false;
    const auto question = std::min(target.find('?'), target.size());
    const auto path = Decode(target.substr(0, question));
    const auto query = Decode(target.substr(question));
    return path && query && IsPath(target.substr(0, question), *path) &&
           EachCodePoint(*query, [](char32_t c) { return c != 0; });
}

}  // namespace rampart::server::http
