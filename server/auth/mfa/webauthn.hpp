// WebAuthn (level 2, sections 7.1 and 7.2): is what a browser sent the answer of an authenticator
// to our challenge, on our page?
//
// libfido2 knows keys and signatures. The challenge, where it was shown, the authenticator's flags
// and its counter are judged here. Nothing is remembered: a challenge is the caller's to draw, keep
// and take once, and the new counter is to be stored while the credential is locked.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace rampart::server::mfa {

// COSE algorithms (RFC 9053): the ones that are offered, in this order.
enum class CoseAlgorithm : int { kEs256 = -7, kEdDsa = -8, kRs256 = -257 };

// Whether the maker of an authenticator has to vouch for it.
enum class Attestation : std::uint8_t {
    kIgnored,   // what is said of it is not looked at, which is what "none" asks browsers for
    kVerified,  // it is signed, by the credential itself or by a certificate that comes along
};

struct RelyingParty {
    std::string id;                    // "example.com"
    std::vector<std::string> origins;  // "https://login.example.com"
    bool verify_user = false;          // a PIN or a finger, not only a touch
    Attestation attestation = Attestation::kIgnored;
    // With kVerified: a file with the certificates of makers that are trusted, PEM. Empty: whoever
    // signs is believed, also the authenticator itself.
    std::string attestation_roots = {};
};

struct Credential {
    std::vector<std::uint8_t> id;
    std::vector<std::uint8_t> public_key;  // as libfido2 has it: x and y; x; modulus and exponent
    CoseAlgorithm algorithm = CoseAlgorithm::kEs256;
    std::vector<std::uint8_t> aaguid;  // the authenticator's model, 16 bytes
    std::uint32_t counter = 0;
    bool backup_eligible = false;  // can be on several devices
    bool backed_up = false;
    bool user_verified = false;  // at this moment
};

// What is wrong. Each has its own problem code, "webauthn_" and the name.
enum class WebAuthnFault : std::uint8_t {
    kMalformed,  // also a key of an algorithm that is not offered
    kType,
    kChallenge,
    kOrigin,
    kRelyingParty,
    kUserAbsent,
    kUserNotVerified,
    kAttestation,
    kSignature,
    kCounter,
    kBackupState,
    kCredential,  // that nobody here has
    kUserHandle,  // of somebody else than who has the credential
};
std::string_view NameOf(WebAuthnFault fault);

class WebAuthnRefused : public std::runtime_error {
  public:
    explicit WebAuthnRefused(WebAuthnFault fault)
        : std::runtime_error(std::string(NameOf(fault))), fault_(fault) {}
    WebAuthnFault fault() const { return fault_; }

  private:
    WebAuthnFault fault_;
};

// 32 random bytes.
std::vector<std::uint8_t> NewChallenge();

// A new credential. Throws WebAuthnRefused.
Credential VerifyRegistration(const RelyingParty& party, ByteView challenge, ByteView client_data,
                              ByteView attestation_object);

// The credential with the counter and flags that the assertion has; it is to replace `known`. A
// counter that has not risen means that there are two of it: the authenticator was cloned, unless
// neither counts at all. Throws WebAuthnRefused.
Credential VerifyAssertion(const RelyingParty& party, ByteView challenge, const Credential& known,
                           ByteView client_data, ByteView authenticator_data, ByteView signature);

}  // namespace rampart::server::mfa
