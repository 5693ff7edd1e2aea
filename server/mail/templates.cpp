#include "mail/templates.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "config/embedded.hpp"
#include "mail/text.hpp"
#include "utf8.hpp"

namespace rampart::server::mail {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string_view>;

constexpr std::size_t kMaxTemplate = 64UL * 1024;
constexpr std::size_t kMaxValue = 100;  // characters
constexpr std::size_t kMaxLink = 2000;
constexpr std::string_view kSubject = "Subject: ";
constexpr std::string_view kSuffix = ".txt";

std::string NameOf(std::string_view file) {
    return std::string(file.substr(0, file.size() - kSuffix.size()));
}

bool Contains(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string Joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
}

// Files may come from an editor that ends lines in CR LF.
std::string WithLineFeeds(std::string text) {
    std::size_t at = 0;
    while ((at = text.find("\r\n", at)) != std::string::npos) text.erase(at, 1);
    return text;
}

// One line of at most kMaxValue characters, of whatever was given.
std::string Shown(std::string_view value) {
    std::string shown;
    for (std::size_t count = 0; !value.empty() && count < kMaxValue; ++count) {
        std::string_view rest = value;
        if (!TakeCodePoint(rest)) rest.remove_prefix(1);
        const std::string_view character = value.substr(0, value.size() - rest.size());
        shown += IsOneLine(character) ? character : " ";
        value = rest;
    }
    return shown;
}

bool IsLink(std::string_view link) {
    return link.size() <= kMaxLink &&
           (link.starts_with("https://") || link.starts_with("http://")) &&
           std::ranges::all_of(link,
                               [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; });
}

std::string ReadFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(kMaxTemplate + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) throw std::runtime_error("cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxTemplate) throw std::runtime_error("is longer than 64 KiB");
    return text;
}

}  // namespace

struct Templates::Specification {
    std::string_view name;
    Names required;
    Names optional;
    bool has_subject = true;

    bool Knows(std::string_view placeholder) const {
        return placeholder == "product" || Contains(required, placeholder) ||
               Contains(optional, placeholder == "time" ? "minutes" : placeholder);
    }
};

const Templates::Specification Templates::kSpecifications[] = {
    {"verify-email", {"link"}, {"minutes"}},
    {"already-registered", {}, {}},
    {"password-reset", {"link"}, {"minutes"}},
    {"password-changed", {}, {}},
    {"invitation", {"link", "organisation"}, {}},
    {"approval-requested", {}, {}},
    {"approved", {}, {}},
    {"account-locked", {}, {"minutes", "ip"}},
    {"new-login", {}, {"ip", "what"}},
    {"mfa-code", {"code"}, {"minutes"}},
    {"mfa-recovery", {"link"}, {"minutes"}},
    {"mfa-changed", {"what"}, {}},
    {"mfa-locked", {}, {"minutes"}},
    {"verify-recovery-email", {"link"}, {"minutes"}},
    {"sms-code", {"code"}, {"minutes"}, false},
};

const Templates::Specification* Templates::Find(std::string_view name) {
    const auto* const found = std::ranges::find(kSpecifications, name, &Specification::name);
    return found == std::end(kSpecifications) ? nullptr : found;
}

TemplateError::TemplateError(std::vector<std::string> problems)
    : std::runtime_error(Joined(problems)), problems_(std::move(problems)) {}

Templates::Pieces Templates::Parse(std::string_view text) {
    Pieces pieces;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find("{{"), text.size());
        if (open > 0) pieces.push_back({false, std::string(text.substr(0, open))});
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find("}}");
        if (close == std::string_view::npos) throw std::runtime_error("has {{ without }}");
        pieces.push_back({true, std::string(text.substr(2, close - 2))});
        text.remove_prefix(close + 2);
    }
    return pieces;
}

void Templates::Add(const Specification& specification, std::string_view text,
                    std::string_view source, std::vector<std::string>& problems) {
    const auto problem = [&](const std::string& what) {
        problems.push_back(std::string(source) + ' ' + what);
    };
    std::string_view subject;
    std::string_view body = text;
    if (specification.has_subject) {
        const std::size_t end = text.find("\n\n");
        if (!text.starts_with(kSubject) || end == std::string_view::npos ||
            !IsOneLine(text.substr(0, end))) {
            return problem("does not begin with a line \"Subject: ...\" and an empty line");
        }
        subject = text.substr(kSubject.size(), end - kSubject.size());
        body = text.substr(end + 2);
    }
    if (!IsPlainText(text)) return problem("has control characters or is not UTF-8");
    Template parsed;
    try {
        parsed = {Parse(subject), Parse(body)};
    } catch (const std::runtime_error& error) {
        return problem(error.what());
    }
    Names missing = specification.required;
    for (const Pieces* pieces : {&parsed.subject, &parsed.body}) {
        for (const Piece& piece : *pieces) {
            if (!piece.placeholder) continue;
            if (!specification.Knows(piece.text)) {
                problem("has the placeholder {{" + piece.text +
                        "}}, which this text does not have");
            }
            std::erase(missing, piece.text);
        }
    }
    for (const std::string_view name : missing) {
        problem("does not have the placeholder {{" + std::string(name) + "}}");
    }
    templates_.insert_or_assign(std::string(specification.name), std::move(parsed));
}

void Templates::AddDirectory(const fs::path& directory, std::vector<std::string>& problems) {
    std::error_code error;
    for (fs::directory_iterator file(directory, error), end; !error && file != end;
         file.increment(error)) {
        const fs::path& path = file->path();
        if (path.extension() != kSuffix) continue;
        const Specification* known = Find(NameOf(path.filename().string()));
        if (known == nullptr) {
            problems.push_back(path.string() + " replaces no template");
            continue;
        }
        try {
            Add(*known, WithLineFeeds(ReadFile(path)), path.string(), problems);
        } catch (const std::runtime_error& unreadable) {
            problems.push_back(path.string() + ' ' + unreadable.what());
        }
    }
    if (error) problems.push_back(directory.string() + " cannot be read: " + error.message());
}

Templates::Templates(const fs::path& directory) {
    std::vector<std::string> problems;
    for (const EmbeddedFile& file : kMailTemplates) {
        Add(*Find(NameOf(file.name)), file.text, file.name, problems);
    }
    if (!directory.empty()) AddDirectory(directory, problems);
    if (!problems.empty()) throw TemplateError(std::move(problems));
}

std::string Templates::Fill(const Pieces& pieces, const Values& values) {
    std::string text;
    for (const Piece& piece : pieces) {
        if (!piece.placeholder) {
            text += piece.text;
            continue;
        }
        const auto value = values.find(piece.text);
        if (value == values.end()) {
            throw std::invalid_argument("mail: no value for {{" + piece.text + "}}");
        }
        if (piece.text == "link" && !IsLink(value->second)) {
            throw std::invalid_argument("mail: the link is malformed");
        }
        text += piece.text == "link" ? value->second : Shown(value->second);
    }
    return text;
}

RenderedText Templates::Render(std::string_view name, const Values& values) const {
    const auto found = templates_.find(name);
    if (found == templates_.end()) throw std::invalid_argument("mail: no such template");
    Values all = values;
    if (const auto minutes = values.find("minutes"); minutes != values.end()) {
        all["time"] = TimeInWords(minutes->second);
    }
    return {Fill(found->second.subject, all), Fill(found->second.body, all)};
}

}  // namespace rampart::server::mail
