#include "http/request_head.hpp"

#include <algorithm>
#include <optional>

#include "http/request_target.hpp"
#include "utf8.hpp"

namespace rampart::server::http {
namespace {

constexpr Refusal kMalformedLine{"malformed_request", "the request line is malformed"};
constexpr Refusal kMalformedHeader{"malformed_request", "a header is malformed"};
constexpr Refusal kRepeated{"malformed_request", "a header that may stand once is repeated"};
constexpr Refusal kNoHost{"malformed_request", "there is no valid Host header"};
constexpr Refusal kBadLength{"malformed_request", "Content-Length is not a plain number"};
constexpr Refusal kTwoLengths{"malformed_request",
                              "Transfer-Encoding and Content-Length exclude each other"};
constexpr Refusal kUnexpectedBody{"malformed_request", "this method takes no body"};
constexpr Refusal kLengthRequired{"length_required",
                                  "a body needs a Content-Length; it may not come in chunks"};
constexpr Refusal kTooLarge{"body_too_large", "the body is larger than this server takes"};
constexpr Refusal kEncodedBody{"unsupported_media_type", "compressed bodies are not taken"};
constexpr Refusal kExpectation{"expectation_failed", "only 100-continue can be expected"};
constexpr Refusal kHeadTooLarge{"headers_too_large", "the headers are too many or too long"};
constexpr Refusal kTargetTooLong{"target_too_long", "the request's target is too long"};
constexpr Refusal kUnknownMethod{"method_unknown", "this server has no such method"};
constexpr Refusal kVersion{"version_unknown", "this server speaks HTTP/1.1"};

struct Method {
    std::string_view name;
    bool takes_body;
};
constexpr Method kMethods[] = {{"GET", false},  {"HEAD", false},   {"POST", true},    {"PUT", true},
                               {"PATCH", true}, {"DELETE", false}, {"OPTIONS", false}};

// Of these a second one would leave open which counts.
constexpr std::string_view kSingle[] = {"authorization", "content-length", "content-type",
                                        "cookie",        "host",           "origin"};
constexpr std::string_view kDropped[] = {
    "accept-encoding",  "connection", "expect", "if-range", "keep-alive",
    "proxy-connection", "range",      "te",     "trailer",  "upgrade"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool SameName(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char a, char b) { return Lower(a) == b; });
}

bool IsOneOf(std::string_view name, const auto& names) {
    return std::any_of(std::begin(names), std::end(names),
                       [&](std::string_view other) { return SameName(name, other); });
}

bool IsTokenCharacter(char c) {
    constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
           kPunctuation.find(c) != kPunctuation.npos;
}

bool IsToken(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

std::string_view Trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 9110, 5.5; and UTF-8, because values end in logs and in the database.
bool IsFieldValue(std::string_view value) {
    return EachCodePoint(value, [](char32_t c) {
        return c == '\t' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
    });
}

// A name or an address, and perhaps a port.
bool IsHost(std::string_view host) {
    constexpr std::size_t kMost = 260;
    return !host.empty() && host.size() <= kMost &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
                      std::string_view("-._:[]").find(c) != std::string_view::npos;
           });
}

bool ListHas(std::string_view list, std::string_view lower) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (SameName(Trim(list.substr(0, comma)), lower)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

std::optional<std::size_t> PlainNumber(std::string_view digits) {
    constexpr std::size_t kMostDigits = 18;
    if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
    std::size_t number = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    return number;
}

// Reads one head, line by line; the first refusal stands.
class Parser {
  public:
    explicit Parser(const HeadLimits& limits) : limits_(limits) {}

    std::optional<Refusal> RequestLine(std::string_view line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == line.npos || first == last) return kMalformedLine;
        head_.method = line.substr(0, first);
        head_.target = line.substr(first + 1, last - first - 1);
        const std::string_view version = line.substr(last + 1);
        if (!IsToken(head_.method) || !IsTarget(head_.target)) return kMalformedLine;
        if (version != "HTTP/1.1" && version != "HTTP/1.0")
            return version.starts_with("HTTP/") ? kVersion : kMalformedLine;
        is_old_ = version == "HTTP/1.0";
        method_ = std::find_if(std::begin(kMethods), std::end(kMethods),
                               [&](const Method& m) { return m.name == head_.method; });
        if (method_ == std::end(kMethods)) return kUnknownMethod;
        return std::nullopt;
    }

    std::optional<Refusal> Header(std::string_view line) {
        const auto colon = line.find(':');
        if (colon == line.npos) return kMalformedHeader;
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = Trim(line.substr(colon + 1));
        if (!IsToken(name) || !IsFieldValue(value)) return kMalformedHeader;
        if (IsOneOf(name, kSingle) && Find(name)) return kRepeated;
        all_.emplace_back(name, value);
        return std::nullopt;
    }

    std::optional<Refusal> Finish() {
        const auto host = Find("host");
        if (host ? !IsHost(*host) : !is_old_) return kNoHost;
        if (const auto refusal = Framing()) return refusal;
        const std::string_view connection = Joined("connection");
        head_.keep_alive =
            is_old_ ? ListHas(connection, "keep-alive") : !ListHas(connection, "close");
        if (const auto expected = Find("expect")) {
            if (!SameName(*expected, "100-continue")) return kExpectation;
            head_.expects_continue = !is_old_;
        }
        for (const auto& [name, value] : all_) {
            if (name.find('_') == name.npos && !IsOneOf(name, kDropped))
                head_.headers.emplace_back(name, value);
        }
        return std::nullopt;
    }

    RequestHead Take() { return std::move(head_); }

  private:
    // How long the body is: by Content-Length alone.
    std::optional<Refusal> Framing() {
        const auto length = Find("content-length");
        if (Find("transfer-encoding")) return length ? kTwoLengths : kLengthRequired;
        if (length) {
            const auto number = PlainNumber(*length);
            if (!number) return kBadLength;
            head_.content_length = *number;
        }
        if (head_.content_length == 0) return std::nullopt;
        if (!method_->takes_body) return kUnexpectedBody;
        const auto encoding = Find("content-encoding");
        if (encoding && !SameName(*encoding, "identity")) return kEncodedBody;
        if (head_.content_length > limits_.body) return kTooLarge;
        return std::nullopt;
    }

    std::optional<std::string_view> Find(std::string_view name) const {
        for (const auto& [other, value] : all_) {
            if (other.size() == name.size() &&
                std::equal(name.begin(), name.end(), other.begin(),
                           [](char a, char b) { return Lower(a) == Lower(b); }))
                return value;
        }
        return std::nullopt;
    }

    std::string_view Joined(std::string_view lower) {
        for (const auto& [name, value] : all_) {
            if (!SameName(name, lower)) continue;
            joined_ += value;
            joined_ += ',';
        }
        return joined_;
    }

    const HeadLimits& limits_;
    RequestHead head_;
    bool is_old_ = false;
    const Method* method_ = nullptr;
    std::vector<std::pair<std::string_view, std::string_view>> all_;
    std::string joined_;
};

}  // namespace

HeadScanner::Result HeadScanner::Scan(std::string_view bytes) {
    for (; seen_ < bytes.size(); ++seen_) {
        const char c = bytes[seen_];
        const bool after_cr = seen_ > line_start_ && bytes[seen_ - 1] == '\r';
        // A line ends in CR LF, and neither of them stands elsewhere; of other controls only a tab.
        if (after_cr != (c == '\n')) return kMalformedLine;
        if (static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t')
            return lines_ == 0 ? kMalformedLine : kMalformedHeader;
        if (seen_ >= limits_.bytes) return kHeadTooLarge;
        if (seen_ - line_start_ >= limits_.line)
            return lines_ == 0 ? kTargetTooLong : kHeadTooLarge;
        if (c != '\n') continue;
        const bool is_empty = seen_ == line_start_ + 1;
        line_start_ = seen_ + 1;
        if (is_empty) return lines_ == 0 ? Result(kMalformedLine) : Result(++seen_);
        if (++lines_ > limits_.lines) return kHeadTooLarge;
    }
    return Incomplete{};
}

std::variant<RequestHead, Refusal> ParseHead(std::string_view head, const HeadLimits& limits) {
    Parser parser(limits);
    bool is_first = true;
    for (auto end = head.find("\r\n"); end != 0; end = head.find("\r\n")) {
        if (end == head.npos) return kMalformedHeader;
        const std::string_view line = head.substr(0, end);
        const auto refusal = is_first ? parser.RequestLine(line) : parser.Header(line);
        if (refusal) return *refusal;
        is_first = false;
        head.remove_prefix(end + 2);
    }
    if (is_first) return kMalformedLine;
    if (const auto refusal = parser.Finish()) return *refusal;
    return parser.Take();
}

}  // namespace rampart::server::http
