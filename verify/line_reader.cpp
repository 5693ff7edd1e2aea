#include "line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "text.hpp"

namespace rampart::verify {
namespace {

constexpr std::size_t kFirstBuffer = 256UL * 1024;

}  // namespace

void LineReader::Closer::operator()(std::FILE* file) const {
    if (file != stdin) (void)std::fclose(file);
}

LineReader::LineReader(const std::string& path, std::size_t max_line)
    : name_(path == "-" ? "standard input" : Printable(path)),
      max_line_(max_line),
      file_(path == "-" ? stdin : std::fopen(path.c_str(), "rb")),
      buffer_(std::min(kFirstBuffer, max_line + 1)) {
    if (!file_) throw InputError(name_ + ": cannot be opened: " + std::strerror(errno));
}

// Reads more behind what is there; false at the end of the file.
bool LineReader::Fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == buffer_.size()) {
        if (end_ > max_line_) {
            throw InputError(name_ + ":" + std::to_string(number_ + 1) +
                             ": the line is longer than " + std::to_string(max_line_) + " bytes");
        }
        buffer_.resize(std::min(buffer_.size() * 2, max_line_ + 1));
    }
    const std::size_t count =
        std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
    if (count == 0 && std::ferror(file_.get()) != 0) {
        throw InputError(name_ + ": cannot be read: " + std::strerror(errno));
    }
    end_ += count;
    return count > 0;
}

std::optional<std::string_view> LineReader::Next() {
    std::size_t searched = 0;
    while (true) {
        const char* const start = buffer_.data() + begin_;
        const auto* newline =
            static_cast<const char*>(std::memchr(start + searched, '\n', end_ - begin_ - searched));
        searched = end_ - begin_;
        if (newline == nullptr && Fill()) continue;
        const std::size_t length =
            newline == nullptr ? end_ - begin_ : static_cast<std::size_t>(newline - start);
        if (newline == nullptr && length == 0) return std::nullopt;
        const std::string_view line(buffer_.data() + begin_, length);
        begin_ += length + (newline == nullptr ? 0 : 1);
        ++number_;
        return line;
    }
}

}  // namespace rampart::verify
