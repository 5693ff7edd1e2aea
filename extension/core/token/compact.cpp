#include "token/compact.hpp"

#include <algorithm>
#include <array>

#include "crypto/base64.hpp"
#include "error.hpp"
#include "utf8.hpp"

namespace rampart::token {
namespace {

using policy::Value;

// RFC 8725, 3.10 and RFC 7515, 4.1.11: no key is taken from a token, and no extension is known.
constexpr const char* kForbidden[] = {"b64", "crit", "jku", "jwk", "x5c", "x5u"};

std::vector<std::uint8_t> Decode(std::string_view text, const char* part) {
    auto bytes = FromBase64Url(text);
    if (!bytes) Refuse(std::string("its ") + part + " is not base64url");
    return *std::move(bytes);
}

std::optional<std::string> TextMember(const Value& header, const char* name) {
    const Value* value = header.Find(name);
    if (value == nullptr) return std::nullopt;
    const auto* text = value->As<std::string>();
    if (text == nullptr) Refuse(std::string("its header's \"") + name + "\" is not a string");
    return *text;
}

// RFC 7515, 4.1.9: media types, of which "application/" may be left out.
std::string TypeOf(const Value& header) {
    constexpr std::string_view kPrefix = "application/";
    std::string type = TextMember(header, "typ").value_or("");
    for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return type.starts_with(kPrefix) ? type.substr(kPrefix.size()) : type;
}

void ReadHeader(std::string_view json, CompactToken* token) {
    const Value header = ParseObject(json, "header");
    for (const char* name : kForbidden) {
        if (header.Find(name) != nullptr)
            Refuse(std::string("its header has \"") + name + "\", which is not taken");
    }
    const auto algorithm = TextMember(header, "alg");
    if (!algorithm) Refuse("its header names no algorithm");
    token->algorithm = *algorithm;
    token->key_id = TextMember(header, "kid");
    token->type = TypeOf(header);
}

}  // namespace

void Refuse(const std::string& reason) {
    throw Error(errc::kTokenRefused, "token refused: " + reason);
}

Value ParseObject(std::string_view json, const char* part) {
    const auto any = [](char32_t) { return true; };
    if (!EachCodePoint(json, any)) Refuse(std::string("its ") + part + " is not UTF-8");
    std::optional<Value> value;
    try {
        value = policy::ParseJson(json, policy::JsonRules::kStrict);
    } catch (const Error&) {
        Refuse(std::string("its ") + part + " is not JSON, or names something twice");
    }
    if (value->As<Value::Object>() == nullptr)
        Refuse(std::string("its ") + part + " is not a JSON object");
    return *std::move(value);
}

CompactToken ParseCompact(std::string_view token) {
    if (token.size() > kMaxTokenSize)
        throw Error(errc::kLimitExceeded, "a token has at most 16 kB");
    if (std::count(token.begin(), token.end(), '.') != 2)
        Refuse("it does not have three parts, as a signed token has");
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    CompactToken parsed;
    parsed.signed_text = token.substr(0, second);
    const std::vector<std::uint8_t> header = Decode(token.substr(0, first), "header");
    ReadHeader(AsText(header), &parsed);
    parsed.payload = AsText(Decode(token.substr(first + 1, second - first - 1), "payload"));
    parsed.signature = Decode(token.substr(second + 1), "signature");
    return parsed;
}

}  // namespace rampart::token
