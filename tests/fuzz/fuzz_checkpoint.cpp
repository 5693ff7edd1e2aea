// Input: a signed note, the text of a checkpoint, or a verifier key. What reads as one of them must
// print as it was read; what opens under the fixed key must be what its signed text says.
#include "audit/checkpoint.hpp"
#include "crypto/base64.hpp"
#include "fuzz.hpp"

using namespace rampart;
using namespace rampart::audit;

namespace {

constexpr std::string_view kOrigin = "example.com/orders";

const std::vector<NoteVerifier>& Trusted() {
    static const std::vector<NoteVerifier> trusted = {
        NoteVerifier::Make(kOrigin, Ed25519Key(fuzz::FixedKey()).public_key()).value()};
    return trusted;
}

std::string Print(const SignedNote& note) {
    std::string text = note.text + "\n";
    for (const NoteSignature& signature : note.signatures) {
        std::vector<std::uint8_t> bytes(sizeof signature.key_id);
        StoreBigEndian(signature.key_id, bytes.data());
        bytes.insert(bytes.end(), signature.signature.begin(), signature.signature.end());
        text += "\xe2\x80\x94 " + signature.name + " " + Base64(bytes) + "\n";
    }
    return text;
}

void CheckNote(std::string_view input) {
    const auto note = ParseNote(input);
    if (!note) return;
    fuzz::Require(Print(*note) == input, "each note has one text form");
    const auto opened = OpenCheckpoint(input, kOrigin, Trusted());
    if (!opened) return;
    fuzz::Require(VerifyNote(*note, Trusted()), "what opens is signed");
    fuzz::Require(opened->origin == kOrigin, "what opens is of the log");
    fuzz::Require(FormatCheckpoint(*opened) == note->text, "what opens is what was signed");
}

void CheckText(std::string_view input) {
    if (const auto checkpoint = ParseCheckpoint(input)) {
        fuzz::Require(FormatCheckpoint(*checkpoint) == input, "each checkpoint has one text form");
        fuzz::Require(checkpoint->security.size <= kMaxTreeSize, "sizes are bigint");
    }
    if (const auto verifier = NoteVerifier::Parse(input)) {
        fuzz::Require(verifier->Text() == input, "each key has one text form");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = AsText({data, size});
    CheckNote(input);
    CheckText(input);
    return 0;
}
