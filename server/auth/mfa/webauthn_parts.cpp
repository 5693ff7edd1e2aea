#include "auth/mfa/webauthn_parts.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "crypto/base64.hpp"
#include "crypto/random.hpp"
#include "crypto/sha256.hpp"
#include "secret.hpp"

namespace rampart::server::mfa {
namespace {

constexpr std::size_t kMaxClientData = 4096;

// A browser writes a flat object; whatever nests deeply or is not text there is not from one.
std::string TextOf(const nlohmann::json& object, const char* name) {
    const auto member = object.find(name);
    Demand(member != object.end() && member->is_string(), WebAuthnFault::kMalformed);
    return member->get<std::string>();
}

}  // namespace

std::string_view NameOf(WebAuthnFault fault) {
    switch (fault) {
        case WebAuthnFault::kMalformed:
            return "malformed";
        case WebAuthnFault::kType:
            return "type";
        case WebAuthnFault::kChallenge:
            return "challenge";
        case WebAuthnFault::kOrigin:
            return "origin";
        case WebAuthnFault::kRelyingParty:
            return "relying_party";
        case WebAuthnFault::kUserAbsent:
            return "user_absent";
        case WebAuthnFault::kUserNotVerified:
            return "user_not_verified";
        case WebAuthnFault::kAttestation:
            return "attestation";
        case WebAuthnFault::kSignature:
            return "signature";
        case WebAuthnFault::kCounter:
            return "counter";
        case WebAuthnFault::kBackupState:
            return "backup_state";
        case WebAuthnFault::kCredential:
            return "credential";
        case WebAuthnFault::kUserHandle:
            return "user_handle";
    }
    return "malformed";
}

std::vector<std::uint8_t> NewChallenge() {
    std::vector<std::uint8_t> challenge(32);
    RandomBytes(challenge);
    return challenge;
}

AuthenticatorHead ReadHead(ByteView data) {
    Demand(data.size() >= kHeadSize, WebAuthnFault::kMalformed);
    AuthenticatorHead head{};
    std::copy_n(data.begin(), head.party_hash.size(), head.party_hash.begin());
    const unsigned flags = data[32];
    head.user_present = (flags & 0x01) != 0;
    head.user_verified = (flags & 0x04) != 0;
    head.backup_eligible = (flags & 0x08) != 0;
    head.backed_up = (flags & 0x10) != 0;
    head.counter = LoadBigEndian<std::uint32_t>(data.data() + 33);
    return head;
}

void CheckHead(const RelyingParty& party, const AuthenticatorHead& head) {
    Demand(head.party_hash == Sha256(AsBytes(party.id)), WebAuthnFault::kRelyingParty);
    Demand(head.user_present, WebAuthnFault::kUserAbsent);
    Demand(head.user_verified || !party.verify_user, WebAuthnFault::kUserNotVerified);
    Demand(head.backup_eligible || !head.backed_up, WebAuthnFault::kBackupState);
}

void CheckClientData(const RelyingParty& party, std::string_view type, ByteView challenge,
                     ByteView client_data) {
    Demand(client_data.size() <= kMaxClientData, WebAuthnFault::kMalformed);
    const auto json = nlohmann::json::parse(AsText(client_data), nullptr, false);
    Demand(json.is_object(), WebAuthnFault::kMalformed);
    Demand(TextOf(json, "type") == type, WebAuthnFault::kType);
    const auto answered = FromBase64Url(TextOf(json, "challenge"));
    Demand(answered && !challenge.empty() && ConstantTimeEqual(*answered, challenge),
           WebAuthnFault::kChallenge);
    const std::string origin = TextOf(json, "origin");
    Demand(std::find(party.origins.begin(), party.origins.end(), origin) != party.origins.end(),
           WebAuthnFault::kOrigin);
    // In somebody else's frame a click may be meant for something else.
    Demand(json.value("crossOrigin", nlohmann::json(false)) == false, WebAuthnFault::kOrigin);
}

}  // namespace rampart::server::mfa
