#include "policy/csv.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "policy/config.hpp"
#include "policy/limits.hpp"
#include "policy/policy_set.hpp"

namespace rampart::policy {
namespace {

class CsvReader {
  public:
    CsvReader(std::string_view text, const AddRule& add) : rest_(text), add_(add) {}

    void Read() {
        while (!rest_.empty()) {
            SkipSpaces();
            if (rest_.empty() || rest_.front() == '\n' || rest_.front() == '#') {
                SkipLine();
            } else {
                ReadRule();
            }
        }
    }

  private:
    [[noreturn]] void Fail(const std::string& message) const {
        throw Error(errc::kMalformedPolicy,
                    "malformed policy at line " + std::to_string(line_) + ": " + message);
    }
    void SkipSpaces() {
        const std::size_t first = std::min(rest_.find_first_not_of(" \t\r"), rest_.size());
        rest_.remove_prefix(first);
    }
    void SkipLine() {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size() - 1) + 1);
        ++line_;
    }

    void ReadRule() {
        fields_.clear();
        unquoted_.clear();
        const unsigned line = line_;
        do {
            SkipSpaces();
            const bool quoted = !rest_.empty() && rest_.front() == '"';
            fields_.push_back(quoted ? ReadQuoted() : ReadPlain());
            RequireWithin(fields_.size(), kMaxFields + 1, "the number of values of a rule");
        } while (TakeComma());
        try {
            add_(fields_.front(), std::span(fields_).subspan(1));
        } catch (const Error& error) {
            if (error.state().view() != errc::kMalformedPolicy.view()) throw;
            line_ = line;
            Fail(error.what());
        }
        if (!rest_.empty()) SkipLine();
    }

    bool TakeComma() {
        if (rest_.empty() || rest_.front() != ',') return false;
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view ReadPlain() {
        const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
        std::string_view field = rest_.substr(0, end);
        if (field.find('"') != field.npos) Fail("a quote inside a value that is not quoted");
        rest_.remove_prefix(end);
        if (rest_.empty() || rest_.front() == '\n') field = Trim(field);
        return field;
    }

    std::string_view ReadQuoted() {
        std::string& field = unquoted_.emplace_back();
        while (true) {
            rest_.remove_prefix(1);  // a quote
            const std::size_t end = rest_.find('"');
            if (end == rest_.npos) Fail("a quoted value without an end");
            const std::string_view piece = rest_.substr(0, end);
            field += piece;
            line_ += static_cast<unsigned>(std::ranges::count(piece, '\n'));
            rest_.remove_prefix(end + 1);
            if (rest_.empty() || rest_.front() != '"') break;
            field += '"';
        }
        const std::size_t next = rest_.find_first_not_of(" \t\r");
        const bool ends_line = next == rest_.npos || rest_[next] == '\n';
        if (ends_line) SkipSpaces();
        if (!ends_line && rest_.front() != ',') Fail("text behind a quoted value");
        return field;
    }

    std::string_view rest_;
    const AddRule& add_;
    unsigned line_ = 1;
    std::vector<std::string_view> fields_;
    std::deque<std::string> unquoted_;
};

void AppendValue(std::string& line, std::string_view value) {
    const bool plain = !value.empty() && value.find_first_of(",\"\r\n") == value.npos &&
                       value.front() != '#' && Trim(value).size() == value.size();
    if (plain) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"') line += '"';
        line += c;
    }
    line += '"';
}

}  // namespace

void ParsePolicyCsv(std::string_view text, const AddRule& add) {
    RequireWithin(text.size(), kMaxPolicyText, "the text of a policy");
    CsvReader(text, add).Read();
}

void AddPolicyCsv(std::string_view text, PolicySetBuilder& builder) {
    ParsePolicyCsv(text, [&](std::string_view type, std::span<const std::string_view> values) {
        builder.Add(type, values);
    });
}

std::string FormatRule(std::string_view type, std::span<const std::string_view> values) {
    std::string line;
    AppendValue(line, type);
    for (const std::string_view value : values) {
        line += ", ";
        AppendValue(line, value);
    }
    return line += '\n';
}

}  // namespace rampart::policy
