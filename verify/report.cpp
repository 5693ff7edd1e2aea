#include "report.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace rampart::verify {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVerdicts[] = {"good", "tampered", "cannot tell"};

std::vector<audit::Finding> AllFindings(const Report& report) {
    std::vector<audit::Finding> all = report.findings;
    for (const ClassReport& part : report.classes) {
        all.insert(all.end(), part.replay.findings.begin(), part.replay.findings.end());
    }
    return all;
}

std::string Count(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::vector<std::string> Lines(const ClassReport& part) {
    const audit::ReplayResult& replay = part.replay;
    const std::string name = "class " + replay.log_class + ": ";
    std::vector<std::string> lines;
    if (replay.proven > replay.first) {
        lines.push_back(name + "entries " + std::to_string(replay.first) + " to " +
                        std::to_string(replay.proven - 1) + " are those of checkpoint " +
                        replay.proven_by + "; " +
                        Count(replay.heads, "checkpoint agrees", "checkpoints agree"));
    } else {
        lines.push_back(name + "no entry is proven");
    }
    if (replay.end > replay.proven) {
        lines.push_back(
            name +
            Count(replay.end - std::max(replay.proven, replay.first), "entry is", "entries are") +
            " vouched for by no checkpoint that agrees");
    }
    if (replay.first > 0) {
        lines.push_back(name + "entries before " + std::to_string(replay.first) +
                        " are not in the export; hashes stand for them");
    }
    if (replay.removed > 0) {
        lines.push_back(name + "of " + Count(replay.removed, "entry", "entries") +
                        " the hash is left only");
    }
    if (part.erased > 0) {
        lines.push_back(name + "of " + Count(part.erased, "entry", "entries") +
                        " the values were erased; who did what when is there");
    }
    if (replay.unreachable > 0) {
        lines.push_back(name + Count(replay.unreachable, "checkpoint is", "checkpoints are") +
                        " older than the first entry of the export and could not be compared: see "
                        "rampart-verify heads");
    }
    return lines;
}

template <typename Value>
void Put(Json& json, const char* name, const std::optional<Value>& value) {
    if (value) json[name] = *value;
}

Json ToJson(const audit::Finding& finding) {
    Json json = {{"kind", audit::NameOf(finding.kind)}};
    if (!finding.log_class.empty()) json["class"] = finding.log_class;
    Put(json, "first", finding.first);
    Put(json, "last", finding.last);
    Put(json, "id", finding.id);
    Put(json, "other", finding.other);
    if (!finding.checkpoint.empty()) json["checkpoint"] = finding.checkpoint;
    if (!finding.other_checkpoint.empty()) json["other_checkpoint"] = finding.other_checkpoint;
    json["count"] = finding.count;
    json["text"] = audit::Describe(finding);
    return json;
}

Json ToJson(const ClassReport& part) {
    const audit::ReplayResult& replay = part.replay;
    Json json = {{"class", replay.log_class},   {"first", replay.first},
                 {"end", replay.end},           {"proven", replay.proven},
                 {"removed", replay.removed},   {"erased", part.erased},
                 {"checkpoints", replay.heads}, {"not_compared", replay.unreachable}};
    if (!replay.proven_by.empty()) json["proven_by"] = replay.proven_by;
    return json;
}

void PrintJson(const Report& report) {
    Json json = {{"verdict", kVerdicts[static_cast<int>(report.verdict())]},
                 {"checkpoints", report.checkpoints},
                 {"classes", Json::array()},
                 {"findings", Json::array()},
                 {"problems", report.problems},
                 {"proved", report.statements},
                 {"notes", report.notes}};
    for (const ClassReport& part : report.classes) json["classes"].push_back(ToJson(part));
    for (const audit::Finding& finding : AllFindings(report)) {
        json["findings"].push_back(ToJson(finding));
    }
    // Names of files need not be UTF-8.
    std::puts(json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void PrintText(const Report& report, bool quiet) {
    const auto line = [](const char* head, const std::string& text) {
        std::printf("%s%s\n", head, text.c_str());
    };
    for (const audit::Finding& finding : AllFindings(report)) {
        line("TAMPERING: ", audit::Describe(finding));
    }
    for (const std::string& problem : report.problems) line("CANNOT TELL: ", problem);
    if (quiet) return;
    for (const std::string& statement : report.statements) line("", statement);
    for (const ClassReport& part : report.classes) {
        for (const std::string& text : Lines(part)) line("", text);
    }
    for (const std::string& note : report.notes) line("note: ", note);
    line("verdict: ", kVerdicts[static_cast<int>(report.verdict())]);
}

}  // namespace

Verdict Report::verdict() const {
    if (!AllFindings(*this).empty()) return Verdict::kTampered;
    return problems.empty() ? Verdict::kGood : Verdict::kCannotTell;
}

void Print(const Report& report, Format format) {
    if (format == Format::kJson) {
        PrintJson(report);
    } else {
        PrintText(report, format == Format::kQuiet);
    }
}

}  // namespace rampart::verify
