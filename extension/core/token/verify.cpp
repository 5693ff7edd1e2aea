#include "token/verify.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"
#include "token/compact.hpp"

namespace rampart::token {
namespace {

using policy::Value;

const Key& KeyFor(const CompactToken& token, std::span<const Key> keys) {
    if (!token.key_id) {
        if (keys.size() != 1) Refuse("it names no key, and there is more than one or none");
        return keys.front();
    }
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const Key& key) { return key.id == *token.key_id; });
    if (found == keys.end()) Refuse("it names a key that is not known here");
    return *found;
}

void RequireSigned(const CompactToken& token, const Key& key, std::int64_t now) {
    if (AlgorithmNamed(token.algorithm) != key.algorithm)
        Refuse("its algorithm is not the one of its key");
    if (now < key.from || now >= key.until) Refuse("its key is not valid at this time");
    if (!key.key) Refuse("its key cannot be used at present");
    if (!key.key->Verify(AsBytes(token.signed_text), token.signature))
        Refuse("its signature does not verify");
}

// A token of another purpose, signed by the same key, is no access token: RFC 8725, 3.11.
void RequireType(const CompactToken& token, const Key& key) {
    const bool access = token.type == "at+jwt";
    if (key.access_only ? !access : !access && token.type != "jwt" && !token.type.empty())
        Refuse("it is not of the type of access tokens");
}

bool IsText(const Value& value, const std::string& expected) {
    const auto* text = value.As<std::string>();
    return text != nullptr && *text == expected;
}

bool IsFor(const Value& audience, const std::string& expected) {
    const auto* list = audience.As<Value::List>();
    if (list == nullptr) return IsText(audience, expected);
    return std::any_of(list->begin(), list->end(),
                       [&](const Value& item) { return IsText(item, expected); });
}

std::optional<double> Time(const Value& claims, const char* name) {
    const Value* value = claims.Find(name);
    if (value == nullptr) return std::nullopt;
    const auto* seconds = value->As<double>();
    if (seconds == nullptr) Refuse(std::string("its claim \"") + name + "\" is not a number");
    return *seconds;
}

void RequireTime(const Value& claims, std::int64_t leeway, std::int64_t now) {
    const auto at = static_cast<double>(now);
    const auto slack = static_cast<double>(leeway);
    const auto expiry = Time(claims, "exp");
    if (!expiry) Refuse("it does not say when it expires");
    if (*expiry + slack <= at) Refuse("it has expired");
    if (const auto begin = Time(claims, "nbf"); begin && *begin - slack > at)
        Refuse("it is not valid yet");
    if (const auto issued = Time(claims, "iat"); issued && *issued - slack > at)
        Refuse("it was issued in the future");
}

void RequireMeantForUs(const Value& claims, const Key& key) {
    const Value* issuer = claims.Find("iss");
    if (issuer == nullptr || !IsText(*issuer, key.issuer)) Refuse("it is of another issuer");
    const Value* audience = claims.Find("aud");
    if (audience == nullptr || !IsFor(*audience, key.audience))
        Refuse("it is for another audience");
}

}  // namespace

Principal Verify(std::string_view token, std::span<const Key> keys, std::int64_t now) {
    const CompactToken parsed = ParseCompact(token);
    const Key& key = KeyFor(parsed, keys);
    RequireSigned(parsed, key, now);
    RequireType(parsed, key);
    const Value claims = ParseObject(parsed.payload, "payload");
    RequireMeantForUs(claims, key);
    RequireTime(claims, key.leeway, now);
    try {
        return ReadClaims(claims);
    } catch (const Error& error) {
        throw Error(errc::kTokenRefused, "token refused: its claims are malformed", error.detail());
    }
}

}  // namespace rampart::token
