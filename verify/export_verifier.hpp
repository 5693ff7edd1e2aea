// Holds exports of the log against checkpoints, line by line.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "audit/replay.hpp"
#include "checkpoints.hpp"
#include "export_line.hpp"
#include "line_reader.hpp"

namespace rampart::verify {

struct ExportOptions {
    using Limits = std::map<std::string, std::uint64_t>;  // by class

    Limits kept_from = {};               // entries before may be gone
    Limits until = {};                   // entries from here on are not in the export
    std::set<std::string> classes = {};  // to be looked at; all if empty
};

class ExportVerifier {
  public:
    ExportVerifier(const Trust& trust, audit::KnownHeads& heads, ExportOptions options,
                   Report& report);

    // The exports of one class or of several behind one another; each class once. A line that
    // cannot be read ends the file, and is a problem in the report.
    void Read(LineReader& lines);

    // After the last file.
    void Finish();

  private:
    // The export of one class, which a header begins.
    struct Section {
        HeaderLine header;
        std::string place;  // of the header
        std::optional<std::uint64_t> own_size = {};
        std::unique_ptr<audit::Replay> replay = {};  // once the first leaf or the front is read
        std::uint64_t erased = 0;
    };

    void Take(ExportLine line, const std::string& place);
    void Begin(HeaderLine header, const std::string& place);
    void Start(const audit::Frontier& front);
    void TakeLeaf(const LeafLine& line);
    void End();
    bool Wanted(const std::string& log_class) const;
    std::uint64_t KeptFrom(const std::string& log_class) const;
    std::vector<audit::KnownHead> HeadsOf(const std::string& log_class) const;

    const Trust& trust_;
    audit::KnownHeads& heads_;
    ExportOptions options_;
    Report& report_;
    bool known_from_outside_;
    std::set<std::string> seen_;
    std::optional<Section> section_;
};

}  // namespace rampart::verify
