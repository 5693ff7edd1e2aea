#include "token/principal.hpp"

#include <cmath>

#include "bytes.hpp"
#include "error.hpp"

namespace rampart {
namespace {

using policy::Value;

[[noreturn]] void Refuse(std::string_view name, const char* problem) {
    throw Error(errc::kInvalidParameter, "malformed claims",
                "The claim \"" + std::string(name) + "\" " + problem + ".");
}

std::string ReadText(const Value& value, std::string_view name) {
    const auto* text = value.As<std::string>();
    if (text == nullptr) Refuse(name, "is not a string");
    if (text->find('\0') != text->npos) Refuse(name, "has a character NUL");
    return *text;
}

std::string ReadText(const Value& claims, std::string_view name, std::string otherwise) {
    const Value* value = claims.Find(name);
    return value == nullptr ? std::move(otherwise) : ReadText(*value, name);
}

void ReadList(const Value& claims, std::string_view name, std::vector<std::string>* out) {
    const Value* value = claims.Find(name);
    if (value == nullptr) return;
    const auto* list = value->As<Value::List>();
    if (list == nullptr) Refuse(name, "is not a list");
    for (const Value& item : *list) out->push_back(ReadText(item, name));
}

// RFC 8693, 4.2: scopes in one string, separated by a space.
void ReadWords(const Value& claims, std::string_view name, std::vector<std::string>* out) {
    const std::string text = ReadText(claims, name, "");
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        if (end > begin) out->push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

// Beyond 2^53 a double skips whole seconds.
std::int64_t ReadTime(const Value& claims, std::string_view name) {
    constexpr double kLimit = 9007199254740992.0;
    const Value* value = claims.Find(name);
    if (value == nullptr) return 0;
    const auto* seconds = value->As<double>();
    if (seconds == nullptr) Refuse(name, "is not a number");
    if (!(std::abs(*seconds) < kLimit)) Refuse(name, "is out of range");
    return static_cast<std::int64_t>(std::floor(*seconds));
}

bool ReadFlag(const Value& claims, std::string_view name) {
    const Value* value = claims.Find(name);
    if (value == nullptr) return false;
    const auto* flag = value->As<bool>();
    if (flag == nullptr) Refuse(name, "is neither true nor false");
    return *flag;
}

class Writer {
  public:
    void Member(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        Name(name);
        String(value);
    }
    void Member(std::string_view name, const std::vector<std::string>& values) {
        if (values.empty()) return;
        Name(name);
        char separator = '[';
        for (const std::string& value : values) {
            text_ += separator;
            String(value);
            separator = ',';
        }
        text_ += ']';
    }
    void Bare(std::string_view name, const std::string& value) {
        Name(name);
        text_ += value;
    }
    std::string Take() { return std::move(text_) + "}"; }

  private:
    void Name(std::string_view name) {
        if (text_.size() > 1) text_ += ',';
        String(name);
        text_ += ':';
    }
    void String(std::string_view value) {
        text_ += '"';
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                text_ += '\\';
                text_ += c;
            } else if (byte < 0x20) {
                text_ += "\\u00" + HexOf({&byte, 1});
            } else {
                text_ += c;
            }
        }
        text_ += '"';
    }
    std::string text_ = "{";
};

}  // namespace

Principal ReadClaims(const Value& claims) {
    if (claims.As<Value::Object>() == nullptr)
        throw Error(errc::kInvalidParameter, "malformed claims", "They are not a JSON object.");
    Principal principal;
    principal.subject = ReadText(claims, "sub", "");
    if (principal.subject.empty()) Refuse("sub", "is missing or empty");
    principal.organisation = ReadText(claims, "org", "");
    if (claims.Find("role") != nullptr) principal.roles.push_back(ReadText(claims, "role", ""));
    ReadList(claims, "roles", &principal.roles);
    ReadList(claims, "teams", &principal.teams);
    ReadWords(claims, "scope", &principal.scopes);
    ReadList(claims, "scopes", &principal.scopes);
    principal.api_key = ReadFlag(claims, "api_key");
    principal.issuer = ReadText(claims, "iss", "");
    principal.token_id = ReadText(claims, "jti", "");
    principal.session = ReadText(claims, "sid", "");
    principal.expires_at = ReadTime(claims, "exp");
    return principal;
}

std::string WriteClaims(const Principal& principal) {
    Writer writer;
    writer.Member("sub", principal.subject);
    writer.Member("org", principal.organisation);
    writer.Member("roles", principal.roles);
    writer.Member("teams", principal.teams);
    writer.Member("scopes", principal.scopes);
    if (principal.api_key) writer.Bare("api_key", "true");
    writer.Member("iss", principal.issuer);
    writer.Member("jti", principal.token_id);
    writer.Member("sid", principal.session);
    if (principal.expires_at != 0) writer.Bare("exp", std::to_string(principal.expires_at));
    return writer.Take();
}

}  // namespace rampart
