// rampart-verify: verifies Rampart's audit log without a server. docs/guides/verify.md.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "audit/checkpoint.hpp"
#include "export_verifier.hpp"
#include "proofs.hpp"
#include "text.hpp"

namespace rampart::verify {
namespace {

struct Arguments {
    std::vector<std::string> keys;
    std::string origin;
    std::vector<std::string> checkpoints;
    std::vector<std::string> files;
    std::vector<std::string> kept_from;
    std::vector<std::string> until;
    std::vector<std::string> classes;
    std::size_t max_line = 64UL * 1024 * 1024;
    bool json = false;
    bool quiet = false;
};

constexpr const char* kExamples = R"text(
Examples:
  psql -AtX -v FETCH_COUNT=1000 -c "SELECT rampart.export_evidence('normal')" > normal.jsonl
  psql -AtX -v FETCH_COUNT=1000 -c "SELECT rampart.export_evidence('security')" > security.jsonl
  rampart-verify log --key log.key --checkpoint heads/ normal.jsonl security.jsonl

  psql -AtX -c "SELECT rampart.export_proof(4711)" > proof.json
  rampart-verify entry --key log.key --checkpoint heads/ proof.json

  psql -AtX -c "SELECT rampart.export_consistency('normal', 100, 250)" > growth.json
  rampart-verify heads --key log.key --checkpoint monday.txt --checkpoint friday.txt growth.json

Exit codes: 0 good, 1 tampering was found, 2 nothing can be said (usage, unreadable input).)text";

ExportOptions::Limits LimitsOf(const std::vector<std::string>& texts, const char* option) {
    ExportOptions::Limits limits;
    for (const std::string& text : texts) {
        const std::size_t equals = std::min(text.find('='), text.size());
        const auto index = ParseInteger<std::uint64_t>(
            std::string_view(text).substr(std::min(equals + 1, text.size())));
        const std::string log_class = text.substr(0, equals);
        if (!index || !audit::IsClassName(log_class)) {
            throw InputError(std::string(option) + " is CLASS=INDEX");
        }
        limits[log_class] = *index;
    }
    return limits;
}

void VerifyLog(const Arguments& arguments, const Trust& trust, audit::KnownHeads& heads,
               Report& report) {
    ExportVerifier verifier(trust, heads,
                            {.kept_from = LimitsOf(arguments.kept_from, "--kept-from"),
                             .until = LimitsOf(arguments.until, "--until"),
                             .classes = {arguments.classes.begin(), arguments.classes.end()}},
                            report);
    for (const std::string& path : arguments.files) {
        LineReader lines(path, arguments.max_line);
        verifier.Read(lines);
    }
    verifier.Finish();
}

using Command = void (*)(const Arguments&, const Trust&, audit::KnownHeads&, Report&);

Report Run(Command command, const Arguments& arguments) {
    Report report;
    try {
        const Trust trust = MakeTrust(arguments.keys, arguments.origin);
        audit::KnownHeads heads;
        for (const std::string& source : arguments.checkpoints) {
            AddCheckpoints(source, trust, heads, report);
        }
        command(arguments, trust, heads, report);
    } catch (const std::exception& error) {
        report.problems.push_back(Printable(error.what()));
    }
    return report;
}

void AddCommon(CLI::App& command, Arguments& arguments, const char* files) {
    command
        .add_option("--key", arguments.keys,
                    "public key of the log (name+id+base64), or a file of keys, one a line; again "
                    "for keys before and after a rotation")
        ->required()
        ->allow_extra_args(false);
    command.add_option("--origin", arguments.origin,
                       "name of the log, where it is not the name of the keys");
    command
        .add_option("--checkpoint", arguments.checkpoints,
                    "signed checkpoints that were kept outside: a file, a directory of files, or "
                    "the text itself; again for more")
        ->allow_extra_args(false);
    command.add_flag("--json", arguments.json, "print the report as JSON");
    command.add_flag("-q,--quiet", arguments.quiet, "print only what is wrong");
    command.add_option("file", arguments.files, files)->required();
    command.footer(kExamples);
}

int Main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app(
        "Verifies Rampart's audit log offline: trusts the public key and the checkpoints "
        "that you kept, and nothing else.",
        "rampart-verify");
    app.footer(kExamples);
    app.require_subcommand(1);
    Command chosen = nullptr;
    struct Entry {
        const char* name;
        const char* description;
        const char* files;
        Command command;
    };
    constexpr Entry kCommands[] = {
        {"log", "an export of the log, entry by entry, against all checkpoints",
         "exports (rampart.export_evidence); - is standard input", VerifyLog},
        {"entry", "that one entry is in the log", "proofs (rampart.export_proof)",
         [](const Arguments& given, const Trust& trust, audit::KnownHeads& heads, Report& report) {
             for (const std::string& path : given.files) VerifyEntry(path, trust, heads, report);
         }},
        {"heads", "that a checkpoint continues an older one", "proofs (rampart.export_consistency)",
         [](const Arguments& given, const Trust&, audit::KnownHeads& heads, Report& report) {
             for (const std::string& path : given.files) VerifyHeads(path, heads, report);
         }}};
    for (const Entry& entry : kCommands) {
        CLI::App* command = app.add_subcommand(entry.name, entry.description);
        AddCommon(*command, arguments, entry.files);
        command->callback([&chosen, run = entry.command] { chosen = run; });
        if (entry.command != VerifyLog) continue;
        command
            ->add_option("--kept-from", arguments.kept_from,
                         "CLASS=INDEX: entries before may be gone, by retention or because an "
                         "earlier export has them; by default none may")
            ->allow_extra_args(false);
        command
            ->add_option("--until", arguments.until,
                         "CLASS=INDEX: the export goes as far as this entry and does not have it; "
                         "checkpoints of more entries are not compared")
            ->allow_extra_args(false);
        command->add_option("--class", arguments.classes, "look at this class only; again for more")
            ->allow_extra_args(false);
        command->add_option("--max-line", arguments.max_line, "longest line of an export, in bytes")
            ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 31))
            ->capture_default_str();
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(Verdict::kCannotTell);
    }
    const Report report = Run(chosen, arguments);
    Print(report, arguments.json    ? Format::kJson
                  : arguments.quiet ? Format::kQuiet
                                    : Format::kText);
    if (std::fflush(stdout) != 0) return static_cast<int>(Verdict::kCannotTell);
    return static_cast<int>(report.verdict());
}

}  // namespace
}  // namespace rampart::verify

int main(int argc, char** argv) {
    try {
        return rampart::verify::Main(argc, argv);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "rampart-verify: %s\n", error.what());
        return static_cast<int>(rampart::verify::Verdict::kCannotTell);
    }
}
