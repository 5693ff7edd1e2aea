// Input: what a client sends on one connection. However it comes in parts, the same is made of it;
// what is taken reads back as one request only, and nothing of it can end a line or a string.
#include <algorithm>

#include "fuzz.hpp"
#include "http/request_head.hpp"
#include "http/request_target.hpp"

using namespace rampart;
using namespace rampart::server::http;

namespace {

constexpr HeadLimits kLimits{.bytes = 4096, .lines = 20, .line = 512, .body = 1000};

std::string Verdict(const HeadScanner::Result& result) {
    if (const auto* refusal = std::get_if<Refusal>(&result)) return std::string(refusal->detail);
    if (const auto* size = std::get_if<std::size_t>(&result)) return std::to_string(*size);
    return "incomplete";
}

HeadScanner::Result ScanInParts(std::string_view bytes) {
    HeadScanner scanner(kLimits);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        const auto result = scanner.Scan(bytes.substr(0, size));
        if (!std::holds_alternative<HeadScanner::Incomplete>(result)) return result;
    }
    return scanner.Scan(bytes);
}

// The head as a proxy might pass it on: as of HTTP/1.0, which needs no Host.
std::string Written(const RequestHead& head) {
    std::string text = head.method + ' ' + head.target + " HTTP/1.0\r\n";
    for (const auto& [name, value] : head.headers)
        text.append(name).append(": ").append(value).append("\r\n");
    return text + "\r\n";
}

bool IsClean(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void CheckHead(const RequestHead& head) {
    fuzz::Require(IsTarget(head.target) && IsClean(head.target), "a target is one");
    fuzz::Require(head.content_length <= kLimits.body, "a body is within its bound");
    for (const auto& [name, value] : head.headers) {
        fuzz::Require(IsClean(name) && IsClean(value), "no header holds a line end or NUL");
        fuzz::Require(name.find_first_of(" \t:_") == name.npos, "names are plain");
    }
    const auto again =
        ParseHead(Written(head), {.bytes = 8192, .lines = 30, .line = 1024, .body = 1000});
    const auto* read = std::get_if<RequestHead>(&again);
    fuzz::Require(read != nullptr, "what was taken is taken again");
    fuzz::Require(read->method == head.method && read->target == head.target &&
                      read->content_length == head.content_length,
                  "and is the same request");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = AsText({data, size});
    const auto whole = HeadScanner(kLimits).Scan(input);
    fuzz::Require(Verdict(whole) == Verdict(ScanInParts(input)), "parts make no difference");
    const auto* end = std::get_if<std::size_t>(&whole);
    if (end == nullptr) return 0;
    fuzz::Require(*end <= input.size() && input.substr(0, *end).ends_with("\r\n\r\n"),
                  "a head ends with an empty line");
    const auto parsed = ParseHead(input.substr(0, *end), kLimits);
    if (const auto* head = std::get_if<RequestHead>(&parsed)) CheckHead(*head);
    return 0;
}
