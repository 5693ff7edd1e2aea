// *   any characters but '/'         **  as a whole component: any components, or none
// ?   one character but '/'          [a-z] [^a] [!a]  one of a class, never '/'
// {a,b}  either of them              \   the next character as it is
#include <cstdio>

#include "policy/pattern.hpp"
#include "utf8.hpp"

namespace rampart::policy {
namespace {

std::string Character(char32_t c) {
    char text[16];
    (void)std::snprintf(text, sizeof text, "\\x{%x}", static_cast<unsigned>(c));
    return text;
}
std::string Range(char32_t low, char32_t high) {
    return low > high ? "" : Character(low) + "-" + Character(high);
}

class GlobTranslator {
  public:
    explicit GlobTranslator(std::string_view pattern) : whole_(pattern), rest_(pattern) {}

    std::string Translate() {
        while (!rest_.empty() && valid_) Step();
        if (!valid_ || braces_ != 0) return {};
        return "(?s)^(?:" + out_ + ")$";
    }

  private:
    bool Take(std::string_view prefix) {
        if (!rest_.starts_with(prefix)) return false;
        rest_.remove_prefix(prefix.size());
        return true;
    }
    bool AtComponentStart() const {
        return rest_.size() == whole_.size() || whole_[whole_.size() - rest_.size() - 1] == '/';
    }

    void Step() {
        const bool start = AtComponentStart();
        if (rest_ == "/**" && Take("/**")) {
            out_ += "(?:/.*)?";
        } else if (start && rest_ == "**" && Take("**")) {
            out_ += ".*";
        } else if (start && Take("**/")) {
            out_ += "(?:.*/)?";
        } else if (Take("*")) {
            out_ += "[^/]*";
        } else if (Take("?")) {
            out_ += "[^/]";
        } else if (Take("[")) {
            TranslateClass();
        } else if (Take("{")) {
            ++braces_;
            out_ += "(?:";
        } else if (braces_ > 0 && Take("}")) {
            --braces_;
            out_ += ")";
        } else if (braces_ > 0 && Take(",")) {
            out_ += "|";
        } else {
            out_ += Character(TakeCharacter());
        }
    }

    char32_t TakeCharacter() {
        Take("\\");
        const auto character = rest_.empty() ? std::nullopt : TakeCodePoint(rest_);
        valid_ = valid_ && character.has_value();
        return character.value_or(0);
    }

    void TranslateClass() {
        const bool negated = Take("^") || Take("!");
        std::string ranges = negated ? "/" : "";
        bool first = true;
        while (valid_ && (first || !Take("]"))) {
            valid_ = valid_ && !(first && rest_.starts_with("]"));
            first = false;
            const char32_t low = TakeCharacter();
            const char32_t high = Take("-") ? TakeCharacter() : low;
            constexpr char32_t kSlash = '/';
            if (low <= kSlash && kSlash <= high && !negated) {
                ranges += Range(low, kSlash - 1) + Range(kSlash + 1, high);
            } else {
                ranges += Range(low, high);
            }
        }
        if (ranges.empty()) ranges = "^\\x{0}-\\x{10ffff}";  // a class of nothing
        out_ += (negated ? "[^" : "[") + ranges + "]";
    }

    std::string_view whole_;
    std::string_view rest_;
    std::string out_;
    int braces_ = 0;
    bool valid_ = true;
};

}  // namespace

std::string GlobExpression(std::string_view pattern) { return GlobTranslator(pattern).Translate(); }

}  // namespace rampart::policy
