#include "audit/finding.hpp"

namespace rampart::audit {
namespace {

// In the sentences: {where} "entry 7 of class normal (id 12)", {range} "entries 3 to 9 of class
// normal" or {where}, {other}, {checkpoint}, {2nd} the other fields.
struct Words {
    FindingKind kind;
    std::string_view name;
    std::string_view sentence;
};

constexpr Words kWords[] = {
    {FindingKind::kUnsigned, "unsigned",
     "checkpoint {checkpoint} is not signed by a key that was given, or was altered"},
    {FindingKind::kOrigin, "origin", "checkpoint {checkpoint} is of another log"},
    {FindingKind::kForked, "forked",
     "checkpoints {checkpoint} and {2nd} contradict each other: both are signed, and one log "
     "cannot have had both"},
    {FindingKind::kAltered, "altered", "{where} was altered: it is not what was sealed"},
    {FindingKind::kInserted, "inserted",
     "{where} was inserted: the entry that was sealed in its place is behind it"},
    {FindingKind::kMissing, "missing", "{range} missing"},
    {FindingKind::kRemoved, "removed",
     "{where} was removed: only its hash is left, and it was to be kept"},
    {FindingKind::kDoubled, "doubled", "{where} is there twice"},
    {FindingKind::kReordered, "reordered",
     "{where} is out of order: its place and that of entry {other} do not agree"},
    {FindingKind::kLeafHash, "leaf_hash",
     "the stored leaf hash of {where} was altered; the entry itself is what was sealed"},
    {FindingKind::kRewritten, "rewritten",
     "among {range} something was changed, added or taken away, and the stored leaf hashes with "
     "it: they do not add up to checkpoint {checkpoint}"},
    {FindingKind::kNotContinued, "not_continued",
     "the log does not continue checkpoint {checkpoint}: among {range} something is not what was "
     "sealed then; history was rewritten, or the log rolled back and continued"},
    {FindingKind::kCutOff, "cut_off",
     "the end is cut off: {range} missing, which checkpoint {checkpoint} covers"},
    {FindingKind::kRolledBack, "rolled_back",
     "the log was rolled back: it is at the older checkpoint of {other} entries, and {range} "
     "missing, which checkpoint {checkpoint} covers"},
    {FindingKind::kFalseProof, "false_proof",
     "the proof does not show that {where} is in the log of checkpoint {checkpoint}"},
    {FindingKind::kNotConsistent, "not_consistent",
     "the proof does not show that checkpoint {2nd} continues checkpoint {checkpoint}"},
};

const Words& WordsOf(FindingKind kind) {
    for (const Words& words : kWords) {
        if (words.kind == kind) return words;
    }
    return kWords[0];
}

std::string OfClass(const Finding& finding) {
    return finding.log_class.empty() ? "" : " of class " + finding.log_class;
}

std::string Where(const Finding& finding) {
    if (!finding.first) return "the log" + OfClass(finding);
    std::string text = "entry " + std::to_string(*finding.first) + OfClass(finding);
    if (finding.id) text += " (id " + std::to_string(*finding.id) + ")";
    return text;
}

// With its verb, where the sentence says that the entries are missing.
std::string Range(const Finding& finding, bool verb) {
    if (!finding.first || !finding.last || *finding.first == *finding.last) {
        return Where(finding) + (verb ? " is" : "");
    }
    return "entries " + std::to_string(*finding.first) + " to " + std::to_string(*finding.last) +
           OfClass(finding) + (verb ? " are" : "");
}

void Replace(std::string& text, std::string_view mark, const std::string& value) {
    const std::size_t at = text.find(mark);
    if (at != std::string::npos) text.replace(at, mark.size(), value);
}

}  // namespace

std::string_view NameOf(FindingKind kind) { return WordsOf(kind).name; }

std::string Describe(const Finding& finding) {
    std::string text(WordsOf(finding.kind).sentence);
    const bool verb = text.find("{range} missing") != std::string::npos;
    Replace(text, "{where}", Where(finding));
    Replace(text, "{range}", Range(finding, verb));
    Replace(text, "{other}", finding.other ? std::to_string(*finding.other) : "?");
    // Names of files last: what they contain is not replaced again.
    const std::size_t second = text.find("{2nd}");
    if (second != std::string::npos) text.replace(second, 5, finding.other_checkpoint);
    Replace(text, "{checkpoint}", finding.checkpoint);
    if (finding.count > 1) text += "; " + std::to_string(finding.count) + " such in all";
    return text;
}

}  // namespace rampart::audit
