#include "token/claims.hpp"

#include <algorithm>

#include "token/jws.hpp"

namespace rampart::token {
namespace {

using policy::Value;

constexpr std::size_t kMaxName = 256;

void RequireName(const std::string& name) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (name.empty() || name.size() > kMaxName || std::ranges::any_of(name, is_control))
        Refuse("A claim is empty, too long or has control characters.");
}

std::string ReadName(const Value& payload, const char* claim) {
    const Value* value = payload.Find(claim);
    if (value == nullptr) return {};
    const auto* name = value->As<std::string>();
    if (name == nullptr) Refuse("A claim is not a text.");
    RequireName(*name);
    return *name;
}

std::vector<std::string> ReadNames(const Value& payload, const char* claim) {
    const Value* value = payload.Find(claim);
    if (value == nullptr) return {};
    const auto* list = value->As<Value::List>();
    if (list == nullptr || list->size() > kMaxNames) Refuse("A claim is not a list of names.");
    std::vector<std::string> names;
    for (const Value& item : *list) {
        const auto* name = item.As<std::string>();
        if (name == nullptr) Refuse("A claim is not a list of names.");
        RequireName(*name);
        names.push_back(*name);
    }
    return names;
}

std::vector<std::string> ReadScopes(const Value& payload) {
    const Value* value = payload.Find("scope");
    if (value == nullptr) return {};
    const auto* text = value->As<std::string>();
    if (text == nullptr) Refuse("A claim is not a text.");
    std::vector<std::string> scopes;
    for (std::size_t at = 0; at < text->size();) {
        const std::size_t end = std::min(text->find(' ', at), text->size());
        if (end > at) {
            scopes.push_back(text->substr(at, end - at));
            RequireName(scopes.back());
        }
        at = end + 1;
    }
    if (scopes.size() > kMaxNames) Refuse("A claim is not a list of names.");
    return scopes;
}

std::optional<double> ReadTime(const Value& payload, const char* claim) {
    const Value* value = payload.Find(claim);
    if (value == nullptr) return std::nullopt;
    const auto* seconds = value->As<double>();
    if (seconds == nullptr) Refuse("A time among its claims is no number.");
    return *seconds;
}

bool IsFor(const Value& payload, std::string_view audience) {
    const Value* value = payload.Find("aud");
    if (value == nullptr) return false;
    const auto is_audience = [&](const Value& item) {
        const auto* text = item.As<std::string>();
        return text != nullptr && *text == audience;
    };
    const auto* list = value->As<Value::List>();
    return list == nullptr ? is_audience(*value) : std::ranges::any_of(*list, is_audience);
}

}  // namespace

Claims ReadClaims(const Value& payload) {
    Claims claims;
    claims.subject = ReadName(payload, "sub");
    if (claims.subject.empty()) Refuse("It has no subject.");
    claims.organisation = ReadName(payload, "org");
    claims.roles = ReadNames(payload, "roles");
    claims.teams = ReadNames(payload, "teams");
    claims.scopes = ReadScopes(payload);
    claims.id = ReadName(payload, "jti");
    if (const Value* api_key = payload.Find("api_key")) {
        const bool* is_key = api_key->As<bool>();
        if (is_key == nullptr) Refuse("A claim is neither true nor false.");
        claims.api_key = *is_key;
    }
    return claims;
}

void CheckClaims(const Value& payload, const Expected& expected) {
    if (ReadName(payload, "iss") != expected.issuer) Refuse("It is of another issuer.");
    if (!IsFor(payload, expected.audience)) Refuse("It is for another audience.");
    const std::optional<double> expires = ReadTime(payload, "exp");
    if (!expires) Refuse("It never expires.");
    // Written so that no comparison with NaN lets anything through.
    if (!(expected.now < *expires + expected.leeway)) Refuse("It has expired.");
    for (const char* claim : {"nbf", "iat"}) {
        const std::optional<double> begins = ReadTime(payload, claim);
        if (begins && !(*begins - expected.leeway <= expected.now)) Refuse("It does not hold yet.");
    }
}

}  // namespace rampart::token
