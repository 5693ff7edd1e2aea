#include "audit/checkpoint.hpp"

#include <algorithm>
#include <charconv>

#include "crypto/base64.hpp"
#include "error.hpp"

namespace rampart::audit {
namespace {

constexpr std::string_view kClassPrefix = "rampart/";
constexpr std::size_t kMaxClassName = 63;

// Without its newline. Nothing if there is no line, or an empty one.
std::optional<std::string_view> TakeLine(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    const bool canonical = error == std::errc() && end == text.data() + text.size() &&
                           (text.front() != '0' || text.size() == 1);
    return canonical && size <= kMaxTreeSize ? std::optional(size) : std::nullopt;
}

std::optional<TreeHead> ParseHead(std::string_view size_text, std::string_view root_text) {
    const auto size = ParseSize(size_text);
    const auto root = FromBase64(root_text);
    if (!size || !root || root->size() != std::tuple_size_v<Hash>) return std::nullopt;
    TreeHead head{.size = *size};
    std::copy(root->begin(), root->end(), head.root.begin());
    return head;
}

struct ClassHead {
    std::string_view log_class;
    TreeHead head;
};

// "rampart/class size root"
std::optional<ClassHead> ParseClassHead(std::string_view line) {
    line.remove_prefix(kClassPrefix.size());
    const std::size_t first = line.find(' ');
    const std::size_t second = first == line.npos ? first : line.find(' ', first + 1);
    if (second == line.npos) return std::nullopt;
    const std::string_view log_class = line.substr(0, first);
    const auto head =
        ParseHead(line.substr(first + 1, second - first - 1), line.substr(second + 1));
    if (!head || !IsClassName(log_class) || log_class == kSecurityClass) return std::nullopt;
    return ClassHead{log_class, *head};
}

bool TakeExtension(std::string_view line, Checkpoint& checkpoint) {
    if (!line.starts_with(kClassPrefix)) {
        checkpoint.extensions.emplace_back(line);
        return true;
    }
    const auto parsed = ParseClassHead(line);
    const bool in_order = parsed && checkpoint.extensions.empty() &&
                          (checkpoint.others.empty() ||
                           std::prev(checkpoint.others.end())->first < parsed->log_class);
    if (in_order) checkpoint.others.emplace(parsed->log_class, parsed->head);
    return in_order;
}

}  // namespace

const TreeHead* Checkpoint::Find(std::string_view log_class) const {
    if (log_class == kSecurityClass) return &security;
    const auto found = others.find(log_class);
    return found == others.end() ? nullptr : &found->second;
}

bool IsClassName(std::string_view name) {
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    return !name.empty() && name.size() <= kMaxClassName && is_letter(name.front()) &&
           std::ranges::all_of(
               name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
    std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.security.size) + "\n" +
                       Base64(checkpoint.security.root) + "\n";
    for (const auto& [log_class, head] : checkpoint.others) {
        text.append(kClassPrefix).append(log_class).append(" ");
        text.append(std::to_string(head.size)).append(" ").append(Base64(head.root)).append("\n");
    }
    for (const std::string& line : checkpoint.extensions) text.append(line).append("\n");
    // A newline in a name would be another line of the same note.
    if (ParseCheckpoint(text) != checkpoint) {
        throw Error(errc::kInvalidParameter, "the checkpoint is malformed");
    }
    return text;
}

std::optional<Checkpoint> ParseCheckpoint(std::string_view text) {
    if (text.size() > kMaxNoteSize || !IsNoteText(text)) return std::nullopt;
    const auto origin = TakeLine(text);
    const auto size = origin ? TakeLine(text) : std::nullopt;
    const auto root = size ? TakeLine(text) : std::nullopt;
    const auto head = root ? ParseHead(*size, *root) : std::nullopt;
    if (!head) return std::nullopt;
    Checkpoint checkpoint{
        .origin = std::string(*origin), .security = *head, .others = {}, .extensions = {}};
    while (!text.empty()) {
        const auto line = TakeLine(text);
        if (!line || !TakeExtension(*line, checkpoint)) return std::nullopt;
    }
    return checkpoint;
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const Ed25519Key& key) {
    return SignNote(FormatCheckpoint(checkpoint), checkpoint.origin, key);
}

std::optional<Checkpoint> OpenCheckpoint(std::string_view note, std::string_view origin,
                                         std::span<const NoteVerifier> trusted) {
    const auto parsed = ParseNote(note);
    if (!parsed || !VerifyNote(*parsed, trusted)) return std::nullopt;
    auto checkpoint = ParseCheckpoint(parsed->text);
    if (!checkpoint || checkpoint->origin != origin) return std::nullopt;
    return checkpoint;
}

}  // namespace rampart::audit
