#include "token/jws.hpp"

#include "crypto/base64.hpp"
#include "error.hpp"

namespace rampart::token {
namespace {

std::string Decode(std::string_view part, const char* otherwise) {
    const auto bytes = FromBase64Url(part);
    if (!bytes) Refuse(otherwise);
    return {bytes->begin(), bytes->end()};
}

policy::Value ParseObject(const std::string& json, const char* otherwise) {
    try {
        policy::Value value = policy::ParseJson(json, policy::Duplicates::kRefuse);
        if (value.As<policy::Value::Object>() != nullptr) return value;
    } catch (const Error&) {
        Refuse(otherwise);
    }
    Refuse(otherwise);
}

const std::string* TextOf(const policy::Value& object, std::string_view name) {
    const policy::Value* value = object.Find(name);
    return value == nullptr ? nullptr : value->As<std::string>();
}

bool IsTokenType(const policy::Value& header) {
    if (header.Find("typ") == nullptr) return true;
    const std::string* type = TextOf(header, "typ");
    return type != nullptr && (*type == "JWT" || *type == "at+jwt");
}

}  // namespace

void Refuse(const char* reason) {
    throw Error(errc::kTokenRefused, "the token is refused", reason);
}

Jws ParseJws(std::string_view text) {
    if (text.size() > kMaxTokenText) Refuse("It is too long.");
    const std::size_t first = text.find('.');
    const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
        Refuse("It is not of three parts.");
    constexpr const char* kBadHeader = "Its header is malformed.";
    const policy::Value header = ParseObject(Decode(text.substr(0, first), kBadHeader), kBadHeader);
    const std::string* algorithm = TextOf(header, "alg");
    if (algorithm == nullptr) Refuse(kBadHeader);
    if (header.Find("crit") != nullptr || header.Find("b64") != nullptr)
        Refuse("It asks for an extension.");
    if (!IsTokenType(header)) Refuse("It is of another type.");
    Jws jws;
    jws.algorithm = *algorithm;
    if (header.Find("kid") != nullptr) {
        const std::string* key_id = TextOf(header, "kid");
        if (key_id == nullptr) Refuse(kBadHeader);
        jws.key_id = *key_id;
    }
    const auto signature = FromBase64Url(text.substr(second + 1));
    if (!signature) Refuse("Its signature is malformed.");
    jws.signature = *signature;
    constexpr const char* kBadPayload = "Its claims are malformed.";
    jws.payload_text = Decode(text.substr(first + 1, second - first - 1), kBadPayload);
    jws.payload = ParseObject(jws.payload_text, kBadPayload);
    jws.signed_part = text.substr(0, second);
    return jws;
}

}  // namespace rampart::token
