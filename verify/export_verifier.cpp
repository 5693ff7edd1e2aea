#include "export_verifier.hpp"

#include "text.hpp"

namespace rampart::verify {

ExportVerifier::ExportVerifier(const Trust& trust, audit::KnownHeads& heads, ExportOptions options,
                               Report& report)
    : trust_(trust),
      heads_(heads),
      options_(std::move(options)),
      report_(report),
      known_from_outside_(!heads.empty()) {}

void ExportVerifier::Read(LineReader& lines) {
    ExportLineParser parser;
    try {
        while (const auto line = lines.Next()) {
            if (line->empty()) continue;
            try {
                Take(parser.Parse(*line), lines.Place());
            } catch (const InputError& error) {
                throw InputError(lines.Place() + ": " + error.what());
            }
        }
        End();
    } catch (const InputError& error) {
        // Of a class that was read in part nothing is said: its end is not missing.
        report_.problems.emplace_back(error.what());
        section_.reset();
    }
}

void ExportVerifier::Take(ExportLine line, const std::string& place) {
    if (auto* header = std::get_if<HeaderLine>(&line)) {
        if (seen_.contains(header->log_class)) {
            throw InputError("class " + header->log_class + " was there already");
        }
        End();
        Begin(std::move(*header), place);
        return;
    }
    if (!section_) throw InputError("an export begins with its header");
    if (const auto* front = std::get_if<FrontLine>(&line)) {
        if (section_->replay || front->log_class != section_->header.log_class) {
            throw InputError("a front does not belong here");
        }
        Start(front->front);
    } else {
        TakeLeaf(std::get<LeafLine>(line));
    }
}

void ExportVerifier::Begin(HeaderLine header, const std::string& place) {
    seen_.insert(header.log_class);
    if (header.origin && *header.origin != trust_.origin) {
        throw InputError("the export is of the log " + Printable(*header.origin) + ", not of " +
                         Printable(trust_.origin));
    }
    section_ = Section{.header = std::move(header), .place = place};
    if (!section_->header.checkpoint) return;
    audit::KnownHeads own;
    if (AddCheckpoint(*section_->header.checkpoint, place, trust_, own, report_)) {
        const auto heads = own.Of(section_->header.log_class);
        section_->own_size = heads.empty() ? 0 : heads.front().head.size;
        --report_.checkpoints;  // counted again with those that are kept
        AddCheckpoint(*section_->header.checkpoint, place, trust_, heads_, report_);
    }
}

void ExportVerifier::Start(const audit::Frontier& front) {
    const std::string& log_class = section_->header.log_class;
    section_->replay = std::make_unique<audit::Replay>(
        log_class, HeadsOf(log_class), front,
        audit::Replay::Options{.kept_from = KeptFrom(log_class), .own_size = section_->own_size});
}

void ExportVerifier::TakeLeaf(const LeafLine& line) {
    if (!line.leaf.id && line.log_class != section_->header.log_class) {
        throw InputError("a leaf is of another class than its export");
    }
    if (!section_->replay) Start({});
    section_->replay->Take(line.leaf);
    if (line.erased) ++section_->erased;
}

void ExportVerifier::End() {
    if (!section_) return;
    if (!section_->replay) Start({});
    const std::string& log_class = section_->header.log_class;
    if (Wanted(log_class)) {
        ClassReport part{section_->replay->Finish(), section_->erased, KeptFrom(log_class)};
        if (part.replay.first > part.kept_from) {
            report_.problems.push_back(
                section_->place + ": entries of class " + log_class + " before " +
                std::to_string(part.replay.first) +
                " are not in the export. If retention removed them, or an earlier export has them, "
                "say so: --kept-from " +
                log_class + "=" + std::to_string(part.replay.first));
        }
        report_.classes.push_back(std::move(part));
    }
    section_.reset();
}

bool ExportVerifier::Wanted(const std::string& log_class) const {
    return options_.classes.empty() || options_.classes.contains(log_class);
}

std::uint64_t ExportVerifier::KeptFrom(const std::string& log_class) const {
    const auto found = options_.kept_from.find(log_class);
    return found == options_.kept_from.end() ? 0 : found->second;
}

std::vector<audit::KnownHead> ExportVerifier::HeadsOf(const std::string& log_class) const {
    auto heads = heads_.Of(log_class);
    const auto until = options_.until.find(log_class);
    if (until != options_.until.end()) {
        std::erase_if(heads, [&](const auto& known) { return known.head.size > until->second; });
    }
    return heads;
}

void ExportVerifier::Finish() {
    for (audit::Finding& finding : heads_.Contradictions()) {
        report_.findings.push_back(std::move(finding));
    }
    if (heads_.empty()) report_.problems.emplace_back("no checkpoint is known");
    for (const std::string& log_class : heads_.Classes()) {
        if (Wanted(log_class) && !seen_.contains(log_class)) {
            report_.problems.push_back("class " + log_class +
                                       " is not in the export; to leave it out, name the others: "
                                       "--class");
        }
    }
    for (const ClassReport& part : report_.classes) {
        if (part.replay.end > part.replay.first && part.replay.proven <= part.replay.first &&
            part.replay.findings.empty()) {
            report_.problems.push_back("no checkpoint covers an entry of class " +
                                       part.replay.log_class);
        }
    }
    if (!known_from_outside_) {
        report_.notes.emplace_back(
            "no checkpoint but the export's own was given. A log that was rolled back, or "
            "rewritten "
            "by whoever has the signing key, cannot be told from a good one so");
    }
}

}  // namespace rampart::verify
