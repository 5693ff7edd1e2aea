#include "http/json.hpp"

#include <set>
#include <string>
#include <vector>

namespace rampart::server::http {
namespace {

using nlohmann::json;

// Builds the value by the library's own builder, and refuses what the library lets pass.
class StrictBuilder : public nlohmann::detail::json_sax_dom_parser<json> {
    using Base = nlohmann::detail::json_sax_dom_parser<json>;

  public:
    explicit StrictBuilder(json& value) : Base(value, false) {}

    bool string(json::string_t& value) { return !HasNul(value) && Base::string(value); }
    bool start_object(std::size_t size) {
        names_.emplace_back();
        return names_.size() <= kMaxDepth && Base::start_object(size);
    }
    bool key(json::string_t& name) {
        return !HasNul(name) && names_.back().insert(name).second && Base::key(name);
    }
    bool end_object() {
        names_.pop_back();
        return Base::end_object();
    }
    bool start_array(std::size_t size) {
        names_.emplace_back();
        return names_.size() <= kMaxDepth && Base::start_array(size);
    }
    bool end_array() {
        names_.pop_back();
        return Base::end_array();
    }

  private:
    static bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

    std::vector<std::set<std::string>> names_;  // of the objects that are open; arrays have none
};

}  // namespace

std::optional<json> ParseStrictly(std::string_view text) {
    json value;
    StrictBuilder builder(value);
    if (!json::sax_parse(text, &builder)) return std::nullopt;
    return value;
}

}  // namespace rampart::server::http
