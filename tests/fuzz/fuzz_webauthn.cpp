// Input: what a browser passes on of an authenticator, as client data, as an attestation object
// with its COSE key, and as authenticator data. Nothing ends but by WebAuthnRefused; a credential
// that is taken is one, for this domain and challenge alone; an assertion is taken only as signed.
#include <algorithm>
#include <iterator>
#include <optional>

#include "auth/mfa/webauthn.hpp"
#include "fuzz.hpp"

using namespace rampart;
using namespace rampart::server::mfa;

namespace {

// The key is Ed25519's of 32 times the byte 9; the seeds are answers to this challenge.
constexpr std::uint8_t kPublicKey[] = {
    0xfd, 0x17, 0x24, 0x38, 0x5a, 0xa0, 0xc7, 0x5b, 0x64, 0xfb, 0x78, 0xcd, 0x60, 0x2f, 0xa1, 0xd9,
    0x91, 0xfd, 0xeb, 0xf7, 0x6b, 0x13, 0xc5, 0x8e, 0xd7, 0x02, 0xea, 0xc8, 0x35, 0xe9, 0xf6, 0x18};
constexpr std::uint8_t kSignature[] = {
    0x01, 0x44, 0x7b, 0x8b, 0x72, 0x56, 0xf5, 0x7f, 0x34, 0xbd, 0x8e, 0x99, 0x52, 0x62, 0xc5, 0xfa,
    0x79, 0x35, 0x9f, 0xe7, 0x82, 0x09, 0x8d, 0xf9, 0xf2, 0x40, 0xc3, 0xe9, 0xc5, 0xdf, 0x25, 0x1b,
    0x25, 0xe0, 0xb4, 0xf0, 0x0a, 0x6b, 0xd3, 0x72, 0x87, 0x1e, 0xf8, 0xda, 0xe0, 0x08, 0xc5, 0x09,
    0x55, 0x9e, 0x1b, 0xe3, 0x58, 0x65, 0x2c, 0x18, 0xcc, 0xa2, 0xb0, 0x8f, 0x00, 0x01, 0x42, 0x09};
constexpr std::string_view kCreate =
    R"({"type":"webauthn.create","challenge":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","origin":"https://example.com","crossOrigin":false})";
constexpr std::string_view kGet =
    R"({"type":"webauthn.get","challenge":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","origin":"https://example.com","crossOrigin":false})";
// Of example.com, present and verified, counter 2.
constexpr std::uint8_t kData[] = {0xa3, 0x79, 0xa6, 0xf6, 0xee, 0xaf, 0xb9, 0xa5, 0x5e, 0x37,
                                  0x8c, 0x11, 0x80, 0x34, 0xe2, 0x75, 0x1e, 0x68, 0x2f, 0xab,
                                  0x9f, 0x2d, 0x30, 0xab, 0x13, 0xd2, 0x12, 0x55, 0x86, 0xce,
                                  0x19, 0x47, 0x05, 0x00, 0x00, 0x00, 0x02};

const std::vector<std::uint8_t> kChallenge(32, 7);

RelyingParty Party(Attestation attestation = Attestation::kIgnored) {
    return {"example.com", {"https://example.com"}, false, attestation};
}

std::optional<Credential> Registered(const RelyingParty& party, ByteView challenge,
                                     ByteView client_data, ByteView object) {
    try {
        return VerifyRegistration(party, challenge, client_data, object);
    } catch (const WebAuthnRefused&) {
        return std::nullopt;
    }
}

bool IsAsserted(ByteView client_data, ByteView data, ByteView signature) {
    Credential known;
    known.public_key.assign(std::begin(kPublicKey), std::end(kPublicKey));
    known.algorithm = CoseAlgorithm::kEdDsa;
    known.counter = 1;
    try {
        VerifyAssertion(Party(), kChallenge, known, client_data, data, signature);
        return true;
    } catch (const WebAuthnRefused&) {
        return false;
    }
}

bool HasKeyOfItsSize(const Credential& credential) {
    switch (credential.algorithm) {
        case CoseAlgorithm::kEs256:
            return credential.public_key.size() == 64;
        case CoseAlgorithm::kEdDsa:
            return credential.public_key.size() == 32;
        case CoseAlgorithm::kRs256:
            return credential.public_key.size() == 259;
    }
    return false;
}

void CheckObject(ByteView object) {
    const auto credential = Registered(Party(), kChallenge, AsBytes(kCreate), object);
    const auto vouched =
        Registered(Party(Attestation::kVerified), kChallenge, AsBytes(kCreate), object);
    fuzz::Require(credential || !vouched, "nobody vouches for what is none");
    RelyingParty strict = Party(Attestation::kVerified);
    strict.attestation_roots = "/dev/null";
    fuzz::Require(!Registered(strict, kChallenge, AsBytes(kCreate), object), "of no maker at all");
    if (!credential) return;
    fuzz::Require(!credential->id.empty() && credential->id.size() <= 1023, "an id is one");
    fuzz::Require(credential->aaguid.size() == 16, "so is an AAGUID");
    fuzz::Require(HasKeyOfItsSize(*credential), "a key is of its algorithm");
    RelyingParty other = Party();
    other.id = "example.org";
    fuzz::Require(!Registered(other, kChallenge, AsBytes(kCreate), object), "of this domain");
    other = Party();
    other.verify_user = true;
    fuzz::Require(Registered(other, kChallenge, AsBytes(kCreate), object).has_value() ==
                      credential->user_verified,
                  "its user was verified, or was not");
    fuzz::Require(!Registered(Party(), kSignature, AsBytes(kCreate), object), "for this challenge");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    CheckObject(input);
    fuzz::Require(IsAsserted(AsBytes(kGet), kData, kSignature), "what was signed is taken");
    fuzz::Require(!IsAsserted(AsBytes(kGet), input, kSignature) ||
                      std::equal(input.begin(), input.end(), std::begin(kData), std::end(kData)),
                  "other data are not");
    fuzz::Require(!IsAsserted(input, kData, kSignature) || AsText(input) == kGet,
                  "nor is other client data");
    fuzz::Require(
        !IsAsserted(AsBytes(kGet), kData, input) ||
            std::equal(input.begin(), input.end(), std::begin(kSignature), std::end(kSignature)),
        "nor another signature");
    return 0;
}
