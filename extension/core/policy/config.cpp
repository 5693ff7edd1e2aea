#include "policy/config.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

constexpr std::string_view kSpace = " \t\r\f\v";

// Where the comment of a line begins, or its end. A comment sign in a string is none.
std::size_t CommentStart(std::string_view line) {
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '#' || c == ';') {
            return i;
        }
    }
    return line.size();
}

class ConfigReader {
  public:
    std::vector<ConfigEntry> Read(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            ReadLine(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
            ++line_;
        }
        if (continued_) FailModel({line_, 1}, "the text ends inside a continued value");
        return std::move(entries_);
    }

  private:
    Position At(std::string_view line, std::string_view part) const {
        return {line_, static_cast<unsigned>(part.data() - line.data()) + 1};
    }

    void ReadLine(std::string_view line) {
        const std::string_view content = Trim(line.substr(0, CommentStart(line)));
        if (continued_) {
            if (content.empty()) {
                FailModel({line_, 1}, "a comment or blank line inside a continued value");
            }
            AppendValue(line, content);
        } else if (content.empty()) {
            return;
        } else if (content.front() == '[') {
            ReadSection(line, content);
        } else {
            ReadKey(line, content);
        }
    }

    void ReadSection(std::string_view line, std::string_view content) {
        if (content.back() != ']') FailModel(At(line, content), "a section without ']'");
        section_ = Trim(content.substr(1, content.size() - 2));
        if (!sections_.insert(section_).second) {
            FailModel(At(line, content), "section [" + section_ + "] is there twice");
        }
    }

    void ReadKey(std::string_view line, std::string_view content) {
        const std::size_t equals = content.find('=');
        if (equals == content.npos) FailModel(At(line, content), "expected 'key = value'");
        const std::string key(Trim(content.substr(0, equals)));
        if (section_.empty()) FailModel(At(line, content), "a key before the first section");
        if (!keys_.emplace(section_, key).second) {
            FailModel(At(line, content), "'" + key + "' is there twice");
        }
        entries_.push_back({section_, key, At(line, content), {}});
        AppendValue(line, Trim(content.substr(equals + 1)));
    }

    void AppendValue(std::string_view line, std::string_view content) {
        continued_ = content.ends_with('\\');
        if (continued_) content.remove_suffix(1);
        ConfigEntry& entry = entries_.back();
        entry.value.Append(Trim(content), content.empty() ? entry.at : At(line, content));
        if (continued_) {
            entry.value.Append(" ", At(line, content));
            return;
        }
        entry.value.TrimEnd();
        if (entry.value.text().empty()) FailModel(entry.at, "'" + entry.key + "' has no value");
    }

    unsigned line_ = 1;
    bool continued_ = false;
    std::string section_;
    std::set<std::string> sections_;
    std::set<std::pair<std::string, std::string>> keys_;
    std::vector<ConfigEntry> entries_;
};

}  // namespace

std::string_view Trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == text.npos) return text.substr(text.size());
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void SourceText::Append(std::string_view piece, Position at) {
    pieces_.push_back({text_.size(), at});
    text_ += piece;
}

void SourceText::TrimEnd() { text_.resize(text_.find_last_not_of(kSpace) + 1); }

Position SourceText::At(std::size_t offset) const {
    Position at;
    for (const Piece& piece : pieces_) {
        if (piece.offset > offset) break;
        at = {piece.at.line, piece.at.column + static_cast<unsigned>(offset - piece.offset)};
    }
    return at;
}

void FailModel(Position at, const std::string& message) {
    throw Error(errc::kMalformedModel, "malformed model at line " + std::to_string(at.line) +
                                           ", column " + std::to_string(at.column) + ": " +
                                           message);
}

std::vector<ConfigEntry> ParseConfig(std::string_view text) {
    RequireWithin(text.size(), kMaxModelText, "the text of a model");
    return ConfigReader().Read(text);
}

}  // namespace rampart::policy
