// What a line of an export says (docs/formats.md, "Export for verification").
#pragma once

#include <string>
#include <variant>

#include "audit/misfits.hpp"
#include "json_line.hpp"

namespace rampart::verify {

// Begins the export of a class.
struct HeaderLine {
    std::string log_class;
    std::uint64_t size = 0;  // behind the last leaf of the export
    std::optional<std::string> origin = {};
    std::optional<std::string> checkpoint = {};  // the log's newest, a note; believed if signed
};

// What is left of the leaves before the first.
struct FrontLine {
    std::string log_class;
    audit::Frontier front;
};

// An entry, or the hash that is left of one.
struct LeafLine {
    std::string log_class;
    audit::ShownLeaf leaf;
    bool erased = false;  // its payload is gone
};

using ExportLine = std::variant<HeaderLine, FrontLine, LeafLine>;

class ExportLineParser {
  public:
    // InputError, without file and line, for what is none.
    ExportLine Parse(std::string_view line);

  private:
    JsonLine json_;
};

}  // namespace rampart::verify
