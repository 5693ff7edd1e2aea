// Lines of a file or of standard input, of bounded length.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::verify {

class LineReader {
  public:
    // `-` is standard input. InputError if the file cannot be opened.
    LineReader(const std::string& path, std::size_t max_line);

    // Without its newline; valid until the next call. Nothing at the end. InputError for a line
    // that is too long and where reading fails.
    std::optional<std::string_view> Next();

    const std::string& name() const { return name_; }
    std::size_t number() const { return number_; }
    std::string Place() const { return name_ + ":" + std::to_string(number_); }

  private:
    struct Closer {
        void operator()(std::FILE* file) const;
    };
    bool Fill();

    std::string name_;
    std::size_t max_line_;
    std::unique_ptr<std::FILE, Closer> file_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  // of what was read and not returned
    std::size_t end_ = 0;
    std::size_t number_ = 0;
};

}  // namespace rampart::verify
