#include "proofs.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "export_line.hpp"
#include "line_reader.hpp"
#include "text.hpp"

namespace rampart::verify {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxProofFile = 64UL * 1024 * 1024;  // the entry may be in it
constexpr std::size_t kMaxHashes = 2 * 64;

// A JSON object of which no member is there twice: another reader might see the other one.
class ProofFile {
  public:
    explicit ProofFile(const std::string& path) {
        LineReader lines(path, kMaxProofFile);
        name_ = lines.name();
        std::string text;
        while (const auto line = lines.Next()) {
            text.append(*line).append("\n");
            if (text.size() > kMaxProofFile) Fail("is too large for a proof");
        }
        json_ = Parse(text);
        if (!json_.is_object()) Fail("is not a JSON object");
    }

    [[noreturn]] void Fail(const std::string& what) const { throw InputError(name_ + " " + what); }

    const Json* Find(const char* member) const {
        const auto found = json_.find(member);
        return found == json_.end() || found->is_null() ? nullptr : &*found;
    }

    std::string Text(const char* member) const {
        const Json* value = Find(member);
        if (value == nullptr || !value->is_string()) Fail(std::string("has no text ") + member);
        return value->get<std::string>();
    }

    std::string ClassName() const {
        std::string name = Text("class");
        if (!audit::IsClassName(name)) Fail("names no class");
        return name;
    }

    std::uint64_t Size(const char* member) const {
        const Json* value = Find(member);
        std::optional<std::uint64_t> size;
        if (value != nullptr && value->is_number_unsigned()) size = value->get<std::uint64_t>();
        if (value != nullptr && value->is_string()) {
            size = ParseInteger<std::uint64_t>(value->get_ref<const std::string&>());
        }
        if (!size || *size > audit::kMaxTreeSize) Fail(std::string("has no number ") + member);
        return *size;
    }

    audit::Hash HashAt(const char* member) const { return ToHash(Text(member)); }

    audit::Proof Hashes(const char* member) const {
        const Json* value = Find(member);
        if (value == nullptr || !value->is_array() || value->size() > kMaxHashes) {
            Fail(std::string("has no list of hashes ") + member);
        }
        audit::Proof proof;
        for (const Json& hash : *value) {
            proof.push_back(ToHash(hash.is_string() ? hash.get<std::string>() : ""));
        }
        return proof;
    }

    const std::string& name() const { return name_; }

  private:
    Json Parse(const std::string& text) const {
        std::vector<std::set<std::string>> names;
        const auto once = [&](int, Json::parse_event_t event, Json& value) {
            if (event == Json::parse_event_t::object_start) names.emplace_back();
            if (event == Json::parse_event_t::object_end) names.pop_back();
            if (event == Json::parse_event_t::key &&
                !names.back().insert(value.get<std::string>()).second) {
                Fail("has a member twice");
            }
            return true;
        };
        try {
            return Json::parse(text, once);
        } catch (const Json::parse_error& error) {
            Fail("is no valid JSON at byte " + std::to_string(error.byte));
        }
    }

    // PostgreSQL writes \x before the digits of a bytea.
    audit::Hash ToHash(std::string_view text) const {
        if (text.starts_with("\\x")) text.remove_prefix(2);
        const auto hash = HashFromHex(text);
        if (!hash) Fail("has something that is not 64 hexadecimal digits for a hash");
        return *hash;
    }

    std::string name_;
    Json json_;
};

// Of several of one size, which contradict each other, the first.
std::optional<audit::KnownHead> HeadOfSize(const audit::KnownHeads& heads,
                                           const std::string& log_class, std::uint64_t size,
                                           Report& report) {
    const auto known = heads.Of(log_class);
    const auto found =
        std::ranges::find(known, size, [](const audit::KnownHead& head) { return head.head.size; });
    if (found != known.end()) return *found;
    report.problems.push_back("no checkpoint of " + std::to_string(size) + " entries of class " +
                              log_class + " is known");
    return std::nullopt;
}

// The entry that the proof is of, if the file has it: true if it is there and is that leaf.
bool CheckEntry(const ProofFile& file, const std::string& log_class, std::uint64_t index,
                const audit::Hash& leaf, Report& report, std::optional<std::int64_t>& id) {
    const Json* entry = file.Find("entry");
    if (entry == nullptr) {
        report.notes.emplace_back("the file has the hash of the entry, and not the entry itself");
        return true;
    }
    const ExportLine line = [&] {
        try {
            return ExportLineParser().Parse(entry->dump());
        } catch (const InputError& error) {
            file.Fail(std::string("has an entry that is none: ") + error.what());
        }
    }();
    const auto* shown = std::get_if<LeafLine>(&line);
    if (shown == nullptr || !shown->leaf.id) file.Fail("has an entry that is none");
    id = shown->leaf.id;
    if (shown->leaf.index == index && shown->log_class == log_class &&
        shown->leaf.computed == leaf) {
        return true;
    }
    report.findings.push_back({.kind = audit::FindingKind::kAltered,
                               .log_class = log_class,
                               .first = index,
                               .id = id,
                               .checkpoint = file.name()});
    return false;
}

}  // namespace

void VerifyEntry(const std::string& path, const Trust& trust, audit::KnownHeads& heads,
                 Report& report) {
    const ProofFile file(path);
    const std::string log_class = file.ClassName();
    const std::uint64_t index = file.Size("index");
    const std::uint64_t size = file.Size("size");
    const audit::Hash leaf = file.HashAt("leaf");
    const audit::Proof proof = file.Hashes("proof");
    if (file.Find("checkpoint") != nullptr) {
        AddCheckpoint(file.Text("checkpoint"), file.name(), trust, heads, report);
    }
    std::optional<std::int64_t> id;
    const bool same = CheckEntry(file, log_class, index, leaf, report, id);
    const auto known = HeadOfSize(heads, log_class, size, report);
    if (!known || !same) return;
    if (audit::VerifyInclusion(leaf, index, known->head, proof)) {
        report.statements.push_back("entry " + std::to_string(index) + " of class " + log_class +
                                    (id ? " (id " + std::to_string(*id) + ")" : "") +
                                    " is in the log of checkpoint " + known->label);
    } else {
        report.findings.push_back({.kind = audit::FindingKind::kFalseProof,
                                   .log_class = log_class,
                                   .first = index,
                                   .id = id,
                                   .checkpoint = known->label});
    }
}

void VerifyHeads(const std::string& path, const audit::KnownHeads& heads, Report& report) {
    const ProofFile file(path);
    const std::string log_class = file.ClassName();
    const audit::Proof proof = file.Hashes("proof");
    const auto older = HeadOfSize(heads, log_class, file.Size("old_size"), report);
    const auto newer = HeadOfSize(heads, log_class, file.Size("new_size"), report);
    if (!older || !newer) return;
    if (audit::VerifyConsistency(older->head, newer->head, proof)) {
        report.statements.push_back("class " + log_class + ": checkpoint " + newer->label +
                                    " continues checkpoint " + older->label);
    } else {
        report.findings.push_back({.kind = audit::FindingKind::kNotConsistent,
                                   .log_class = log_class,
                                   .checkpoint = older->label,
                                   .other_checkpoint = newer->label});
    }
}

}  // namespace rampart::verify
