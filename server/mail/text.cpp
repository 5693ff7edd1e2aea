#include "mail/text.hpp"

#include <algorithm>
#include <charconv>

#include "crypto/base64.hpp"
#include "utf8.hpp"

namespace rampart::server::mail {
namespace {

constexpr std::size_t kMaxPlainHeader = 60;  // with the header's name in a line of 78
constexpr std::size_t kMaxEncodedBytes = 39;
constexpr std::size_t kMaxBodyLine = 998;        // RFC 5322, 2.1.1
constexpr std::size_t kMaxQuotedPrintable = 75;  // 76 with the sign of a soft break

bool IsControl(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

bool TurnsDirection(char32_t c) {
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool IsLineSeparator(char32_t c) { return c == 0x2028 || c == 0x2029; }

bool IsPrintableAscii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool NeedsEncoding(std::string_view text) {
    return !IsPrintableAscii(text) || text.size() > kMaxPlainHeader ||
           text.find("=?") != std::string_view::npos || text.starts_with(' ') ||
           text.ends_with(' ');
}

std::string EncodedWords(std::string_view text) {
    std::string words;
    while (!text.empty()) {
        std::string_view rest = text;
        std::size_t length = 0;
        while (!rest.empty() && TakeCodePoint(rest) &&
               text.size() - rest.size() <= kMaxEncodedBytes) {
            length = text.size() - rest.size();
        }
        if (!words.empty()) words += "\r\n ";
        words += "=?utf-8?B?" + Base64(AsBytes(text.substr(0, length))) + "?=";
        text.remove_prefix(length);
    }
    return words;
}

std::string QuotedPrintableByte(char c) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<std::uint8_t>(c);
    return {'=', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
}

// A line without its break. White space at its end would be lost on the way.
std::string QuotedPrintableLine(std::string_view line) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool space = c == ' ' || c == '\t';
        const bool plain = space ? i + 1 < line.size() : c > 0x20 && c < 0x7f && c != '=';
        const std::string piece = plain ? std::string(1, c) : QuotedPrintableByte(c);
        if (column + piece.size() > kMaxQuotedPrintable) {
            out += "=\r\n";
            column = 0;
        }
        out += piece;
        column += piece.size();
    }
    return out;
}

}  // namespace

bool IsOneLine(std::string_view text) {
    return EachCodePoint(text, [](char32_t c) {
        return !IsControl(c) && !TurnsDirection(c) && !IsLineSeparator(c);
    });
}

bool IsPlainText(std::string_view text) {
    return EachCodePoint(text, [](char32_t c) {
        return c == '\n' || c == '\t' || (!IsControl(c) && !TurnsDirection(c));
    });
}

std::string TimeInWords(std::string_view minutes) {
    int count = 0;
    const auto [end, error] =
        std::from_chars(minutes.data(), minutes.data() + minutes.size(), count);
    if (error != std::errc() || end != minutes.data() + minutes.size()) {
        return std::string(minutes);
    }
    constexpr int kHour = 60;
    constexpr int kDay = 24 * kHour;
    const char* unit = "minute";
    if (count >= 2 * kDay && count % kDay == 0) {
        count /= kDay;
        unit = "day";
    } else if (count >= kHour && count % kHour == 0) {
        count /= kHour;
        unit = "hour";
    }
    return std::to_string(count) + ' ' + unit + (count == 1 ? "" : "s");
}

std::string HeaderText(std::string_view text) {
    return NeedsEncoding(text) ? EncodedWords(text) : std::string(text);
}

std::string HeaderPhrase(std::string_view name) {
    if (NeedsEncoding(name)) return EncodedWords(name);
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

bool IsSevenBit(std::string_view body) {
    std::size_t column = 0;
    for (const char c : body) {
        column = c == '\n' ? 0 : column + 1;
        if (column > kMaxBodyLine || (c != '\n' && c != '\t' && (c < 0x20 || c >= 0x7f))) {
            return false;
        }
    }
    return true;
}

std::string QuotedPrintable(std::string_view body) {
    std::string out;
    for (;;) {
        const std::size_t end = body.find('\n');
        out += QuotedPrintableLine(body.substr(0, end));
        if (end == std::string_view::npos) return out;
        out += "\r\n";
        body.remove_prefix(end + 1);
    }
}

}  // namespace rampart::server::mail
