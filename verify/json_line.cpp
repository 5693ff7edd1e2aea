#include "json_line.hpp"

#include <nlohmann/json.hpp>

namespace rampart::verify {
namespace {

constexpr auto kCount = static_cast<std::size_t>(Name::kNames);
constexpr std::string_view kInPayload = "payload.";
constexpr std::array<std::string_view, kCount> kNameText = {"rampart-audit-export",
                                                            "origin",
                                                            "checkpoint",
                                                            "size",
                                                            "front",
                                                            "class",
                                                            "index",
                                                            "id",
                                                            "at",
                                                            "xid",
                                                            "lineage",
                                                            "event",
                                                            "severity",
                                                            "actor",
                                                            "org",
                                                            "ip",
                                                            "user_agent",
                                                            "request_id",
                                                            "role",
                                                            "session_role",
                                                            "application",
                                                            "client",
                                                            "relation",
                                                            "operation",
                                                            "payload",
                                                            "payload.key",
                                                            "payload.old",
                                                            "payload.new",
                                                            "payload.metadata",
                                                            "salt",
                                                            "erased",
                                                            "leaf"};

}  // namespace

std::string_view TextOf(Name name) { return kNameText[static_cast<std::size_t>(name)]; }

// What nlohmann's parser calls. False ends parsing; `problem` then says why.
class JsonLine::Reader : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit Reader(JsonLine& line) : line_(line) {}
    std::string problem;

    bool null() override { return Value(Kind::kNull, {}); }
    bool number_integer(number_integer_t value) override {
        return Value(Kind::kText, std::to_string(value));
    }
    bool number_unsigned(number_unsigned_t value) override {
        return Value(Kind::kText, std::to_string(value));
    }
    bool string(string_t& value) override { return Value(Kind::kText, value); }
    bool boolean(bool) override { return Fail("a member is true or false"); }
    bool number_float(number_float_t, const string_t&) override {
        return Fail("a number is not an integer of 64 bits");
    }
    bool binary(binary_t&) override { return Fail("a member is binary"); }
    bool start_array(std::size_t) override { return Fail("a member is an array"); }
    bool end_array() override { return true; }

    bool start_object(std::size_t) override {
        if (depth_ == 0) {
            depth_ = 1;
            return true;
        }
        if (depth_ != 1 || last_ != static_cast<std::size_t>(Name::kPayload)) {
            return Fail("a member other than payload is an object");
        }
        depth_ = 2;
        line_.members_[last_].kind = Kind::kText;
        line_.members_[last_].text.clear();
        return true;
    }
    bool end_object() override {
        --depth_;
        return true;
    }

    bool key(string_t& name) override {
        // They mostly come in the order of the table.
        for (std::size_t i = 1; i <= kCount; ++i) {
            const std::size_t candidate = (last_ + i) % kCount;
            if (!IsNamed(candidate, name)) continue;
            last_ = candidate;
            if (line_.members_[candidate].kind == Kind::kAbsent) return true;
            return Fail("member " + std::string(kNameText[candidate]) + " is there twice");
        }
        return Fail("a member has an unknown name");
    }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::json::exception&) override {
        // The parser's own message quotes the line.
        return Fail("no valid JSON at byte " + std::to_string(position));
    }

  private:
    bool IsNamed(std::size_t candidate, std::string_view name) const {
        std::string_view text = kNameText[candidate];
        const bool inner = text.starts_with(kInPayload);
        if (inner != (depth_ == 2)) return false;
        if (inner) text.remove_prefix(kInPayload.size());
        return text == name;
    }

    bool Value(Kind kind, std::string_view text) {
        if (depth_ == 0) return Fail("the line is not an object");
        Member& member = line_.members_[last_];
        if (last_ == static_cast<std::size_t>(Name::kPayload) && kind != Kind::kNull) {
            return Fail("payload is neither an object nor null");
        }
        member.kind = kind;
        member.text.assign(text);
        return true;
    }

    bool Fail(std::string what) {
        if (problem.empty()) problem = std::move(what);
        return false;
    }

    JsonLine& line_;
    int depth_ = 0;
    std::size_t last_ = kCount - 1;
};

std::string JsonLine::Parse(std::string_view line) {
    for (Member& member : members_) member.kind = Kind::kAbsent;
    Reader reader(*this);
    const bool read = nlohmann::json::sax_parse(line.begin(), line.end(), &reader);
    if (!read && reader.problem.empty()) return "no valid JSON";
    return reader.problem;
}

std::optional<std::string_view> JsonLine::Text(Name name) const {
    const Member& member = At(name);
    if (member.kind != Kind::kText) return std::nullopt;
    return member.text;
}

}  // namespace rampart::verify
