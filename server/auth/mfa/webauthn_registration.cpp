#include <memory>
#include <new>

#include <fido.h>

#include "auth/mfa/webauthn_cbor.hpp"
#include "auth/mfa/webauthn_parts.hpp"

namespace rampart::server::mfa {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMaxObject = std::size_t{16} * 1024;
constexpr std::size_t kMaxCredentialId = 1023;  // WebAuthn 7.1, step 23

using FidoCredential = std::unique_ptr<fido_cred_t, FidoDeleter<fido_cred_free>>;

struct AttestationObject {
    std::string format;
    Bytes statement;  // CBOR
    Bytes authenticator_data;
    bool statement_is_empty = false;
};

// Of exactly its three members: whatever else stands there, somebody has put it there.
AttestationObject ReadObject(ByteView bytes) {
    Demand(bytes.size() <= kMaxObject, WebAuthnFault::kMalformed);
    const CborItem object = Load(bytes);
    Demand(cbor_isa_map(object.get()) && cbor_map_is_definite(object.get()) &&
               cbor_map_size(object.get()) == 3,
           WebAuthnFault::kMalformed);
    AttestationObject read;
    bool has_statement = false;
    for (std::size_t i = 0; i < 3; ++i) {
        const cbor_pair& pair = cbor_map_handle(object.get())[i];
        const auto name = TextOf(pair.key);
        if (name == "fmt") {
            read.format = TextOf(pair.value).value_or("");
        } else if (name == "attStmt" && cbor_isa_map(pair.value)) {
            has_statement = true;
            read.statement_is_empty = cbor_map_size(pair.value) == 0;
            read.statement = Encoded(pair.value);
        } else if (name == "authData") {
            read.authenticator_data = BlobOf(pair.value).value_or(Bytes());
        }
    }
    Demand(has_statement && !read.format.empty() && !read.authenticator_data.empty(),
           WebAuthnFault::kMalformed);
    return read;
}

void CheckAttestation(const RelyingParty& party, const AttestationObject& object,
                      ByteView client_data, fido_cred_t* credential) {
    if (party.attestation == Attestation::kIgnored) {
        Demand(object.format != "none" || object.statement_is_empty, WebAuthnFault::kMalformed);
        return;
    }
    const bool complete =
        fido_cred_set_fmt(credential, object.format.c_str()) == FIDO_OK &&
        fido_cred_set_attstmt(credential, object.statement.data(), object.statement.size()) ==
            FIDO_OK &&
        fido_cred_set_rp(credential, party.id.c_str(), nullptr) == FIDO_OK &&
        fido_cred_set_clientdata(credential, client_data.data(), client_data.size()) == FIDO_OK;
    Demand(complete, WebAuthnFault::kAttestation);
    if (party.attestation_roots.empty()) {
        Demand(
            fido_cred_verify(credential) == FIDO_OK || fido_cred_verify_self(credential) == FIDO_OK,
            WebAuthnFault::kAttestation);
    } else {
        const ByteView aaguid(fido_cred_aaguid_ptr(credential), fido_cred_aaguid_len(credential));
        Demand(fido_cred_verify(credential) == FIDO_OK &&
                   IsOfTrustedMaker(party.attestation_roots, object.statement, aaguid),
               WebAuthnFault::kAttestation);
    }
}

// Behind the head: AAGUID, length of the id, id, then the key and extensions in CBOR.
void CheckKeyClaims(ByteView authenticator_data) {
    constexpr std::size_t kIdAt = kHeadSize + 16 + 2;
    Demand(authenticator_data.size() >= kIdAt, WebAuthnFault::kMalformed);
    const std::size_t id =
        std::size_t{authenticator_data[kIdAt - 2]} << 8U | authenticator_data[kIdAt - 1];
    Demand(id <= authenticator_data.size() - kIdAt, WebAuthnFault::kMalformed);
    CheckClaims(authenticator_data.subspan(kIdAt + id));
}

// libfido2 has to be told the algorithm before it reads the key.
FidoCredential ReadCredential(ByteView authenticator_data) {
    for (const CoseAlgorithm algorithm :
         {CoseAlgorithm::kEs256, CoseAlgorithm::kEdDsa, CoseAlgorithm::kRs256}) {
        FidoCredential credential(fido_cred_new());
        if (!credential) throw std::bad_alloc();
        if (fido_cred_set_type(credential.get(), static_cast<int>(algorithm)) == FIDO_OK &&
            fido_cred_set_authdata_raw(credential.get(), authenticator_data.data(),
                                       authenticator_data.size()) == FIDO_OK) {
            return credential;
        }
    }
    throw WebAuthnRefused(WebAuthnFault::kMalformed);
}

Bytes Copy(const unsigned char* bytes, std::size_t size) {
    return bytes == nullptr ? Bytes() : Bytes(bytes, bytes + size);
}

}  // namespace

Credential VerifyRegistration(const RelyingParty& party, ByteView challenge, ByteView client_data,
                              ByteView attestation_object) {
    CheckClientData(party, "webauthn.create", challenge, client_data);
    const AttestationObject object = ReadObject(attestation_object);
    const AuthenticatorHead head = ReadHead(object.authenticator_data);
    CheckHead(party, head);

    CheckKeyClaims(object.authenticator_data);
    const FidoCredential parsed = ReadCredential(object.authenticator_data);
    CheckAttestation(party, object, client_data, parsed.get());

    Credential credential;
    credential.id = Copy(fido_cred_id_ptr(parsed.get()), fido_cred_id_len(parsed.get()));
    credential.public_key =
        Copy(fido_cred_pubkey_ptr(parsed.get()), fido_cred_pubkey_len(parsed.get()));
    credential.aaguid =
        Copy(fido_cred_aaguid_ptr(parsed.get()), fido_cred_aaguid_len(parsed.get()));
    Demand(!credential.id.empty() && credential.id.size() <= kMaxCredentialId &&
               !credential.public_key.empty(),
           WebAuthnFault::kMalformed);
    credential.algorithm = static_cast<CoseAlgorithm>(fido_cred_type(parsed.get()));
    credential.counter = head.counter;
    credential.backup_eligible = head.backup_eligible;
    credential.backed_up = head.backed_up;
    credential.user_verified = head.user_verified;
    return credential;
}

}  // namespace rampart::server::mfa
