#include "audit/note.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "crypto/base64.hpp"
#include "crypto/sha256.hpp"
#include "error.hpp"
#include "utf8.hpp"

namespace rampart::audit {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";
constexpr std::uint8_t kEd25519 = 1;  // signature type of the specification
constexpr std::size_t kKeyIdSize = sizeof(std::uint32_t);

std::uint32_t KeyId(std::string_view name, const Ed25519PublicKey& key) {
    constexpr std::uint8_t kSeparator[] = {'\n', kEd25519};
    Sha256Stream stream;
    stream.Update(AsBytes(name));
    stream.Update(kSeparator);
    stream.Update(key);
    return LoadBigEndian<std::uint32_t>(stream.Final().data());
}

std::string KeyIdText(std::uint32_t id) {
    char digits[2 * kKeyIdSize + 1];
    (void)std::snprintf(digits, sizeof digits, "%08x", id);
    return digits;
}

// "— name base64", without its newline.
std::optional<NoteSignature> ParseSignature(std::string_view line) {
    if (!line.starts_with(kDash)) return std::nullopt;
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !IsKeyName(line.substr(0, space))) return std::nullopt;
    const auto bytes = FromBase64(line.substr(space + 1));
    if (!bytes || bytes->size() <= kKeyIdSize) return std::nullopt;
    return NoteSignature{std::string(line.substr(0, space)),
                         LoadBigEndian<std::uint32_t>(bytes->data()),
                         {bytes->begin() + kKeyIdSize, bytes->end()}};
}

bool SameKey(const NoteSignature& a, const NoteSignature& b) {
    return a.key_id == b.key_id && a.name == b.name;
}

}  // namespace

NoteVerifier::NoteVerifier(std::string_view name, const Ed25519PublicKey& key)
    : name_(name), key_(key), key_id_(KeyId(name, key)) {}

std::optional<NoteVerifier> NoteVerifier::Make(std::string_view name, const Ed25519PublicKey& key) {
    if (!IsKeyName(name)) return std::nullopt;
    return NoteVerifier(name, key);
}

std::optional<NoteVerifier> NoteVerifier::Parse(std::string_view text) {
    const std::size_t first = text.find('+');
    const std::size_t second = first == text.npos ? first : text.find('+', first + 1);
    if (second == text.npos) return std::nullopt;
    const auto bytes = FromBase64(text.substr(second + 1));
    Ed25519PublicKey key;
    if (!bytes || bytes->size() != 1 + key.size() || bytes->front() != kEd25519) {
        return std::nullopt;
    }
    std::copy(bytes->begin() + 1, bytes->end(), key.begin());
    auto verifier = Make(text.substr(0, first), key);
    if (!verifier || verifier->Text() != text) return std::nullopt;
    return verifier;
}

std::string NoteVerifier::Text() const {
    std::array<std::uint8_t, 1 + std::tuple_size_v<Ed25519PublicKey>> bytes;
    bytes[0] = kEd25519;
    std::copy(key_.begin(), key_.end(), bytes.begin() + 1);
    return name_ + "+" + KeyIdText(key_id_) + "+" + Base64(bytes);
}

bool IsKeyName(std::string_view name) {
    if (name.empty()) return false;
    return EachCodePoint(name,
                         [](char32_t c) { return c > ' ' && c != '+' && !IsUnicodeSpace(c); });
}

bool IsNoteText(std::string_view text) {
    return text.ends_with('\n') &&
           EachCodePoint(text, [](char32_t c) { return c >= ' ' || c == '\n'; });
}

std::string SignNote(std::string_view text, std::string_view name, const Ed25519Key& key) {
    if (!IsNoteText(text)) throw Error(errc::kInvalidParameter, "the text of a note is malformed");
    const auto verifier = NoteVerifier::Make(name, key.public_key());
    if (!verifier) throw Error(errc::kInvalidParameter, "the name of a note's key is malformed");
    const Ed25519Signature signature = key.Sign(AsBytes(text));
    std::array<std::uint8_t, kKeyIdSize + std::tuple_size_v<Ed25519Signature>> bytes;
    StoreBigEndian(verifier->key_id(), bytes.data());
    std::copy(signature.begin(), signature.end(), bytes.begin() + kKeyIdSize);
    std::string note(text);
    note.append("\n").append(kDash).append(name).append(" ").append(Base64(bytes)).append("\n");
    return note;
}

std::optional<SignedNote> ParseNote(std::string_view note) {
    if (note.size() > kMaxNoteSize || !IsNoteText(note)) return std::nullopt;
    const std::size_t blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return std::nullopt;
    SignedNote parsed{std::string(note.substr(0, blank + 1)), {}};
    std::string_view rest = note.substr(blank + 2);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        auto signature = ParseSignature(rest.substr(0, end));
        if (!signature || parsed.signatures.size() == kMaxNoteSignatures ||
            std::ranges::any_of(parsed.signatures,
                                [&](const auto& other) { return SameKey(other, *signature); })) {
            return std::nullopt;
        }
        parsed.signatures.push_back(std::move(*signature));
        rest.remove_prefix(end + 1);
    }
    if (parsed.signatures.empty()) return std::nullopt;
    return parsed;
}

bool VerifyNote(const SignedNote& note, std::span<const NoteVerifier> trusted) {
    bool signed_by_trusted = false;
    for (const NoteSignature& signature : note.signatures) {
        for (const NoteVerifier& verifier : trusted) {
            if (signature.key_id != verifier.key_id() || signature.name != verifier.name()) {
                continue;
            }
            if (!Ed25519Verify(verifier.key(), AsBytes(note.text), signature.signature)) {
                return false;
            }
            signed_by_trusted = true;
        }
    }
    return signed_by_trusted;
}

}  // namespace rampart::audit
