// What registration and assertion have in common: the browser's part (client data) and the fixed
// part of the authenticator's. For webauthn_*.cpp only.
#pragma once

#include <array>

#include "auth/mfa/webauthn.hpp"

namespace rampart::server::mfa {

inline constexpr std::size_t kHeadSize = 37;

// The head of authenticator data (WebAuthn 6.1).
struct AuthenticatorHead {
    std::array<std::uint8_t, 32> party_hash;
    std::uint32_t counter;
    bool user_present;
    bool user_verified;
    bool backup_eligible;
    bool backed_up;
};

// Whether a maker whose certificate stands in the file `roots` (PEM) vouches for an authenticator
// of this model, by an attestation statement whose signature has been verified.
bool IsOfTrustedMaker(const std::string& roots, ByteView statement, ByteView aaguid);

// Throws WebAuthnRefused.
AuthenticatorHead ReadHead(ByteView authenticator_data);
void CheckHead(const RelyingParty& party, const AuthenticatorHead& head);

// `type`: webauthn.create or webauthn.get. Throws WebAuthnRefused.
void CheckClientData(const RelyingParty& party, std::string_view type, ByteView challenge,
                     ByteView client_data);

inline void Demand(bool holds, WebAuthnFault fault) {
    if (!holds) throw WebAuthnRefused(fault);
}

// Frees an object of libfido2, which takes a pointer to the pointer.
template <auto kFree>
struct FidoDeleter {
    template <typename T>
    void operator()(T* object) const {
        kFree(&object);
    }
};

}  // namespace rampart::server::mfa
