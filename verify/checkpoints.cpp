#include "checkpoints.hpp"

#include <algorithm>
#include <filesystem>

#include "line_reader.hpp"
#include "text.hpp"

namespace rampart::verify {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";

// Cuts lines into notes. A note is text, an empty line, signatures; what comes behind signatures
// and is none begins the next one.
class NoteSplitter {
  public:
    explicit NoteSplitter(std::string name) : name_(std::move(name)) {}

    // Calls `note(text, label)` for each note that is complete before this line.
    template <typename Note>
    void Take(std::string_view line, const Note& note) {
        ++number_;
        const bool signature = line.starts_with(kDash);
        if (part_ == Part::kSignatures && !signature) Finish(note);
        if (part_ == Part::kText && line.empty()) {
            if (text_.empty()) return;  // between notes
            part_ = Part::kSignatures;
        } else if (text_.empty()) {
            first_ = number_;
        }
        text_.append(line).append("\n");
        signed_ |= part_ == Part::kSignatures && signature;
        if (part_ == Part::kSignatures && line.empty() && signed_) Finish(note);
        if (text_.size() > audit::kMaxNoteSize) Fail("is too large for a checkpoint");
    }

    template <typename Note>
    void Finish(const Note& note) {
        if (text_.empty()) return;
        if (!signed_) Fail("begins something that is not a signed checkpoint");
        note(text_, Place());
        text_.clear();
        part_ = Part::kText;
        signed_ = false;
    }

  private:
    enum class Part { kText, kSignatures };

    std::string Place() const { return name_ + ":" + std::to_string(first_); }
    [[noreturn]] void Fail(const char* what) const { throw InputError(Place() + ": " + what); }

    std::string name_;
    std::string text_;
    Part part_ = Part::kText;
    bool signed_ = false;
    std::size_t number_ = 0;
    std::size_t first_ = 0;
};

template <typename Note>
void EachNoteOfText(std::string_view text, const Note& note) {
    NoteSplitter splitter("argument");
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        splitter.Take(text.substr(0, end), note);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    splitter.Finish(note);
}

template <typename Note>
void EachNoteOfFile(const std::string& path, const Note& note) {
    LineReader lines(path, audit::kMaxNoteSize);
    NoteSplitter splitter(lines.name());
    while (const auto line = lines.Next()) splitter.Take(*line, note);
    splitter.Finish(note);
}

// Regular files whose names do not begin with a dot. Nothing if it is no directory.
std::vector<std::string> FilesOf(const std::string& path) {
    std::vector<std::string> files;
    std::error_code error;
    for (std::filesystem::directory_iterator i(path, error), end; !error && i != end;
         i.increment(error)) {
        const bool hidden = i->path().filename().string().starts_with('.');
        if (!hidden && i->is_regular_file()) files.push_back(i->path().string());
    }
    if (error) throw InputError(Printable(path) + ": " + error.message());
    std::ranges::sort(files);
    return files;
}

void AddKeysOfFile(const std::string& path, Trust& trust) {
    constexpr std::size_t kMaxKey = 4096;
    LineReader lines(path, kMaxKey);
    while (const auto line = lines.Next()) {
        if (line->empty() || line->starts_with('#')) continue;
        auto key = audit::NoteVerifier::Parse(*line);
        if (!key) throw InputError(lines.Place() + ": not a public key (name+id+base64)");
        trust.keys.push_back(std::move(*key));
    }
}

}  // namespace

Trust MakeTrust(const std::vector<std::string>& keys, const std::string& origin) {
    Trust trust{.keys = {}, .origin = origin};
    for (const std::string& text : keys) {
        if (auto key = audit::NoteVerifier::Parse(text)) {
            trust.keys.push_back(std::move(*key));
        } else {
            AddKeysOfFile(text, trust);
        }
    }
    if (trust.keys.empty()) throw InputError("no public key was given");
    if (trust.origin.empty()) {
        trust.origin = trust.keys.front().name();
        const bool clear = std::ranges::all_of(
            trust.keys, [&](const auto& key) { return key.name() == trust.origin; });
        if (!clear) throw InputError("the keys have several names: say which log it is, --origin");
    }
    return trust;
}

bool AddCheckpoint(const std::string& note, const std::string& label, const Trust& trust,
                   audit::KnownHeads& heads, Report& report) {
    const auto parsed = audit::ParseNote(note);
    const bool is_signed = parsed && audit::VerifyNote(*parsed, trust.keys);
    auto checkpoint = is_signed ? audit::ParseCheckpoint(parsed->text) : std::nullopt;
    if (!checkpoint || checkpoint->origin != trust.origin) {
        report.findings.push_back(
            {.kind = checkpoint ? audit::FindingKind::kOrigin : audit::FindingKind::kUnsigned,
             .checkpoint = label});
        return false;
    }
    heads.Add(std::move(*checkpoint), label);
    ++report.checkpoints;
    return true;
}

void AddCheckpoints(const std::string& source, const Trust& trust, audit::KnownHeads& heads,
                    Report& report) {
    const auto add = [&](const std::string& note, const std::string& label) {
        AddCheckpoint(note, label, trust, heads, report);
    };
    std::error_code none;
    if (source.find('\n') != std::string::npos) {
        EachNoteOfText(source, add);
    } else if (std::filesystem::is_directory(source, none)) {
        for (const std::string& path : FilesOf(source)) EachNoteOfFile(path, add);
    } else {
        EachNoteOfFile(source, add);
    }
}

}  // namespace rampart::verify
