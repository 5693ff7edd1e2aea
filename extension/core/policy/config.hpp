// The text of a model: sections of keys and values, and where each stood.
//
//   [section]
//   key = value    # or ; begins a comment, unless in a string
//
// A value goes on in the next line where a backslash ends it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace rampart::policy {

struct Position {
    unsigned line = 1;
    unsigned column = 1;  // bytes
};

// A value that may have been put together from several lines.
class SourceText {
  public:
    void Append(std::string_view piece, Position at);
    void TrimEnd();

    const std::string& text() const { return text_; }
    Position At(std::size_t offset) const;

  private:
    struct Piece {
        std::size_t offset;
        Position at;
    };
    std::string text_;
    std::vector<Piece> pieces_;
};

struct ConfigEntry {
    std::string section;
    std::string key;
    Position at;
    SourceText value;
};

[[noreturn]] void FailModel(Position at, const std::string& message);  // RMP01

// Error RMP01 for a line that is none of these, a key without a section, a section or key named
// twice, an empty value, and for a comment or blank line inside a continued value: Casbin would cut
// the value there, and with it the matcher's last conditions. RMP04 for too long a text.
std::vector<ConfigEntry> ParseConfig(std::string_view text);

std::string_view Trim(std::string_view text);

}  // namespace rampart::policy
