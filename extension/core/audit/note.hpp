// Signed notes: text with Ed25519 signatures below it (C2SP signed-note, c2sp.org/signed-note;
// golang.org/x/mod/sumdb/note).
//
//   text, one or more lines
//
//   — name base64(key id || signature)
//
// Reading is strict, because a note comes from anywhere: each note has one text form.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.hpp"

namespace rampart::audit {

// The specification asks for 16 signatures at least, which may be of 5 kB each.
inline constexpr std::size_t kMaxNoteSize = 256UL * 1024;
inline constexpr std::size_t kMaxNoteSignatures = 64;

// Whose signatures count: a key and the name it goes by.
class NoteVerifier {
  public:
    // Nothing unless IsKeyName(name).
    static std::optional<NoteVerifier> Make(std::string_view name, const Ed25519PublicKey& key);

    // "name+8 hexadecimal digits of the key id+base64(0x01 || public key)", as x/mod's note prints
    // it.
    static std::optional<NoteVerifier> Parse(std::string_view text);
    std::string Text() const;

    const std::string& name() const { return name_; }
    const Ed25519PublicKey& key() const { return key_; }
    std::uint32_t key_id() const { return key_id_; }

  private:
    NoteVerifier(std::string_view name, const Ed25519PublicKey& key);

    std::string name_;
    Ed25519PublicKey key_;
    std::uint32_t key_id_;  // SHA-256(name || 0x0a || 0x01 || public key), its first 4 bytes
};

// UTF-8, not empty, without Unicode white space, control characters and '+'.
bool IsKeyName(std::string_view name);

struct NoteSignature {
    std::string name;
    std::uint32_t key_id;
    std::vector<std::uint8_t> signature;  // of whatever algorithm the key has
};

struct SignedNote {
    std::string text;  // ends with a newline
    std::vector<NoteSignature> signatures;
};

// `text` with the signature of `key` under `name`. Error 22023 for a text that a note cannot hold
// (IsNoteText) and for a name that is none.
std::string SignNote(std::string_view text, std::string_view name, const Ed25519Key& key);

// UTF-8 that ends with a newline and has no other control character.
bool IsNoteText(std::string_view text);

// Nothing for what is too large, is no note, or has two signatures of one name and key id. The
// signatures are not verified: nothing in the note is to be believed.
std::optional<SignedNote> ParseNote(std::string_view note);

// True if a trusted key signed the note and no signature that claims to be of a trusted key is
// false. Signatures of other keys are passed over.
[[nodiscard]] bool VerifyNote(const SignedNote& note, std::span<const NoteVerifier> trusted);

}  // namespace rampart::audit
