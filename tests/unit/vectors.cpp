#include "vectors.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace rampart::test {
namespace {

constexpr const char* kPublishedFolder = "/usr/lib/python3/dist-packages/cryptography_vectors";

std::string PublishedFolder() {
    const char* override_folder = std::getenv("RAMPART_VECTORS");
    return override_folder != nullptr ? override_folder : kPublishedFolder;
}

std::string Trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t start = text.find_first_not_of(kSpace);
    if (start == std::string_view::npos) return {};
    return std::string(text.substr(start, text.find_last_not_of(kSpace) - start + 1));
}

class Reader {
  public:
    explicit Reader(std::string_view first) : first_(first) {}

    void Take(const std::string& line) {
        if (line.empty() || line[0] == '#') return;
        if (line[0] == '[') {
            Assign(section_, line.substr(1, line.size() - 2));
        } else if (line == "FAIL") {
            vectors_.back().fails = true;
        } else if (line.find('=') != std::string::npos) {
            if (Trim(line.substr(0, line.find('='))) == first_) vectors_.push_back(section_);
            Assign(vectors_.at(vectors_.size() - 1), line);
        }
    }

    std::vector<Vector> Result() && { return std::move(vectors_); }

  private:
    static void Assign(Vector& vector, const std::string& line) {
        const std::size_t sign = line.find('=');
        if (sign == std::string::npos) return;
        vector.Set(Trim(line.substr(0, sign)), Trim(line.substr(sign + 1)));
    }

    std::string first_;
    Vector section_;
    std::vector<Vector> vectors_;
};

}  // namespace

std::string Hex(ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0x0f];
    }
    return text;
}

Bytes FromHex(std::string_view text) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

void Vector::Set(const std::string& name, std::string value) { fields_[name] = std::move(value); }

const std::string& Vector::Text(const std::string& name) const {
    const auto field = fields_.find(name);
    if (field == fields_.end()) throw std::runtime_error("test vector without " + name);
    return field->second;
}

std::vector<Vector> ReadVectors(const std::string& path, std::string_view first) {
    std::ifstream file(path);
    Reader reader(first);
    for (std::string line; std::getline(file, line);) reader.Take(Trim(line));
    std::vector<Vector> vectors = std::move(reader).Result();
    if (vectors.empty()) throw std::runtime_error("no test vectors in " + path);
    return vectors;
}

std::vector<Vector> GoldenVectors(const std::string& name) {
    return ReadVectors(std::string(RAMPART_GOLDEN_VECTORS) + "/" + name, "Count");
}

std::vector<Vector> PublishedVectors(const std::string& name, std::string_view first) {
    const std::string folder = PublishedFolder();
    if (!std::filesystem::is_directory(folder)) return {};
    return ReadVectors(folder + "/" + name, first);
}

std::vector<std::string> PublishedLines(const std::string& name) {
    std::ifstream file(PublishedFolder() + "/" + name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

}  // namespace rampart::test
