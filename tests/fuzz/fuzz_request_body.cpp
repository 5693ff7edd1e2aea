// Input: a Cookie header, and JSON as a client sends it. What is taken of JSON has bounded depth,
// no NUL and no name twice, and reads back as it is written; a cookie is found where it stands
// once.
#include "fuzz.hpp"
#include "http/cookies.hpp"
#include "http/json.hpp"

using namespace rampart;
using namespace rampart::server::http;
using nlohmann::json;

namespace {

void CheckValue(const json& value, int depth) {
    fuzz::Require(depth <= kMaxDepth, "depth is bounded");
    if (value.is_string())
        fuzz::Require(value.get_ref<const std::string&>().find('\0') == std::string::npos,
                      "no NUL");
    for (const auto& [name, member] : value.items()) {
        if (value.is_object())
            fuzz::Require(name.find('\0') == std::string::npos, "no NUL in names");
        if (value.is_structured()) CheckValue(member, member.is_structured() ? depth + 1 : depth);
    }
}

void CheckJson(std::string_view text) {
    const auto value = ParseStrictly(text);
    if (!value) return;
    CheckValue(*value, value->is_structured() ? 1 : 0);
    const std::string written = value->dump();
    const auto again = ParseStrictly(written);
    fuzz::Require(again && again->dump() == written, "values are read back");
    // A name twice, whatever the rest is.
    if (value->is_object() && !value->empty()) {
        const std::string name = json(value->begin().key()).dump();
        fuzz::Require(!ParseStrictly("{" + name + ":0," + written.substr(1)), "a name stands once");
    }
}

void CheckCookie(std::string_view header) {
    const auto value = CookieValue(header, "id");
    if (!value) return;
    fuzz::Require(value->find(';') == std::string::npos, "a value ends at the semicolon");
    const std::string planted = std::string(header) + "; id=planted";
    fuzz::Require(!CookieValue(planted, "id"), "a cookie that stands twice is none");
    fuzz::Require(!CookieValue("id=planted; " + std::string(header), "id"), "wherever it stands");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = AsText({data, size});
    CheckJson(input);
    CheckCookie(input);
    return 0;
}
