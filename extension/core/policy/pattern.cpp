#include "policy/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

constexpr std::int64_t kRegexMemory = 256L * 1024;  // each: a policy may have many
constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
constexpr std::string_view kSegment = "[^/]+";

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

// keyMatch2 and on: "/*" is "/.*", and a name stands for a part of a segment. All else is a regular
// expression, dots and brackets included.
std::string StarsReplaced(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '*' && out.ends_with('/')) out += '.';
        out += c;
    }
    return out;
}

struct NameStyle {
    bool braces;                   // {name}, else :name up to the end of the segment
    bool shortest;                 // to the first closing brace, else to the last of the segment
    std::string_view replacement;  // a regular expression
};

NameStyle StyleOf(Function function) {
    switch (function) {
        case Function::kKeyMatch2:
            return {false, false, kSegment};
        case Function::kKeyGet2:
            return {false, false, "([^/]+)"};
        case Function::kKeyGet3:
            return {true, true, "([^/]+?)"};
        case Function::kKeyMatch4:
            return {true, false, "([^/]+)"};
        default:
            return {true, false, kSegment};
    }
}

// Where the name that begins at `at` ends, or `at` if none does.
std::size_t NameEnd(std::string_view text, std::size_t at, const NameStyle& style) {
    const std::size_t segment = std::min(text.find('/', at), text.size());
    if (!style.braces) return text[at] == ':' && segment > at + 1 ? segment : at;
    if (text[at] != '{' || segment < at + 3) return at;
    const std::string_view inside = text.substr(at + 2, segment - at - 2);
    const std::size_t brace = style.shortest ? inside.find('}') : inside.rfind('}');
    return brace == inside.npos ? at : at + 2 + brace + 1;
}

std::string NamesReplaced(const std::string& text, const NameStyle& style,
                          std::vector<std::string>& names) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = NameEnd(text, at, style);
        if (end == at) {
            out += text[at++];
            continue;
        }
        names.push_back(text.substr(at + 1, end - at - (style.braces ? 2 : 1)));
        out += style.replacement;
        at = end;
    }
    return out;
}

}  // namespace

Pattern::Pattern(Function function, std::string_view text) : function_(function), text_(text) {
    if (text.size() > kMaxPatternText) {
        problem_ = "a pattern is too long";
    } else {
        Compile(text);
    }
}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

void Pattern::Compile(std::string_view text) {
    switch (function_) {
        case Function::kKeyMatch:
        case Function::kKeyGet:
            if (const std::size_t star = text.find('*'); star != text.npos) {
                form_ = Form::kPrefix;
                text_.resize(star);
            }
            return;
        case Function::kRegexMatch:
            CompileRegex(text_, false);
            return;
        case Function::kGlobMatch: {
            const std::string expression = GlobExpression(text);
            if (expression.empty()) problem_ = "a glob pattern is malformed";
            if (text.find_first_of("*?[{\\") != text.npos) CompileRegex(expression, false);
            return;
        }
        case Function::kIpMatch: {
            const auto network = ParseNetwork(text);
            if (!network) problem_ = "a pattern of ipMatch() is neither an address nor a network";
            network_ = network.value_or(Network{});
            form_ = Form::kNetwork;
            return;
        }
        case Function::kTimeMatch:
            return;
        default:
            CompileRegex(NamesReplaced(StarsReplaced(text), StyleOf(function_), names_), true);
    }
}

void Pattern::CompileRegex(const std::string& expression, bool whole) {
    if (expression.find_first_of(kSpecial) == expression.npos) {
        form_ = whole ? Form::kEqual : Form::kContains;
        return;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    form_ = Form::kRegex;
    regex_ = std::make_unique<re2::RE2>(whole ? "^" + expression + "$" : expression, options);
    if (!regex_->ok()) problem_ = "a regular expression is malformed: " + regex_->error();
    if (function_ == Function::kKeyMatch4 && problem_.empty() &&
        regex_->NumberOfCapturingGroups() != static_cast<int>(names_.size())) {
        problem_ = "a pattern of keyMatch4() has groups of its own";
    }
}

bool Pattern::Matches(std::string_view key) const {
    if (!problem_.empty()) throw Error(errc::kEvaluationFailed, problem_);
    if (function_ == Function::kKeyMatch5) key = key.substr(0, key.find('?'));
    switch (form_) {
        case Form::kEqual:
            return key == text_;
        case Form::kContains:
            return key.find(text_) != key.npos;
        case Form::kPrefix:
            return key.starts_with(text_);
        case Form::kRegex:
            return MatchesRegex(key);
        case Form::kNetwork:
            break;
    }
    const auto address = ParseAddress(key);
    if (!address) throw Error(errc::kEvaluationFailed, "ipMatch() of what is not an IP address");
    return network_.Contains(*address);
}

bool Pattern::MatchesRegex(std::string_view key) const {
    // keyMatch4: names that are there twice stand for the same text.
    const bool repeats = function_ == Function::kKeyMatch4 && names_.size() > 1;
    std::vector<re2::StringPiece> groups(repeats ? names_.size() + 1 : 0);
    if (!regex_->Match(Piece(key), 0, key.size(), re2::RE2::UNANCHORED, groups.data(),
                       static_cast<int>(groups.size()))) {
        return false;
    }
    for (std::size_t i = 0; repeats && i < names_.size(); ++i) {
        const auto first = std::find(names_.begin(), names_.end(), names_[i]) - names_.begin();
        if (groups[static_cast<std::size_t>(first) + 1] != groups[i + 1]) return false;
    }
    return true;
}

std::string_view Pattern::Get(std::string_view key, std::string_view name) const {
    if (!problem_.empty()) throw Error(errc::kEvaluationFailed, problem_);
    if (form_ == Form::kPrefix) {
        return key.starts_with(text_) ? key.substr(text_.size()) : std::string_view();
    }
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (form_ != Form::kRegex || found == names_.end()) return {};
    const auto group = static_cast<std::size_t>(found - names_.begin()) + 1;
    std::vector<re2::StringPiece> groups(group + 1);
    if (!regex_->Match(Piece(key), 0, key.size(), re2::RE2::UNANCHORED, groups.data(),
                       static_cast<int>(groups.size()))) {
        return {};
    }
    return {groups[group].data(), groups[group].size()};
}

void PatternTable::Add(Function function, Symbol symbol, std::string_view text) {
    const std::uint64_t key = Key(function, symbol);
    if (!patterns_.contains(key)) patterns_.emplace(key, Pattern(function, text));
}

const Pattern* PatternTable::Find(Function function, Symbol symbol) const {
    const auto found = patterns_.find(Key(function, symbol));
    return found == patterns_.end() ? nullptr : &found->second;
}

}  // namespace rampart::policy
