// Patterns of the matching functions, compiled once. Matching takes time linear in the text,
// whatever the pattern: expressions are RE2's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/address.hpp"
#include "policy/function.hpp"
#include "policy/symbols.hpp"

namespace re2 {
class RE2;
}

namespace rampart::policy {

// A pattern that does not compile is made all the same, and is an error when it is used, as a rule
// with a mistake is no reason to refuse all the others.
class Pattern {
  public:
    Pattern(Function function, std::string_view text);
    ~Pattern();
    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;

    const std::string& problem() const { return problem_; }  // empty if there is none
    // Matches its own text and nothing else.
    bool IsLiteral() const { return form_ == Form::kEqual && function_ != Function::kKeyMatch5; }

    // Error RMP03 if there is a problem, or if `key` is not what the function takes.
    bool Matches(std::string_view key) const;

    // keyGet: what stands for '*'. keyGet2 and keyGet3: what stands for the name. Empty if the key
    // does not match. The result is part of `key`.
    std::string_view Get(std::string_view key, std::string_view name) const;

  private:
    enum class Form { kEqual, kContains, kPrefix, kRegex, kNetwork };
    void Compile(std::string_view text);
    void CompileRegex(const std::string& expression, bool whole);
    bool MatchesRegex(std::string_view key) const;

    Function function_;
    Form form_ = Form::kEqual;
    std::string text_;
    std::string problem_;
    Network network_;
    std::unique_ptr<re2::RE2> regex_;
    std::vector<std::string> names_;  // of the groups
};

// The patterns that rules hold, by function and symbol.
class PatternTable {
  public:
    void Add(Function function, Symbol symbol, std::string_view text);
    const Pattern* Find(Function function, Symbol symbol) const;  // null if it was not added
    template <typename Visit>
    void Each(const Visit& visit) const {
        for (const auto& [key, pattern] : patterns_) visit(pattern);
    }

  private:
    static std::uint64_t Key(Function function, Symbol symbol) {
        return static_cast<std::uint64_t>(function) << 32 | symbol;
    }
    std::unordered_map<std::uint64_t, Pattern> patterns_;
};

// A regular expression for a glob pattern, as doublestar.Match of Go has it; the empty string for a
// malformed one.
std::string GlobExpression(std::string_view pattern);

}  // namespace rampart::policy
