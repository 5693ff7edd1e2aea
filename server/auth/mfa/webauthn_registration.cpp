#include <memory>
#include <new>
#include <optional>

#include <cbor.h>
#include <fido.h>

#include "auth/mfa/webauthn_parts.hpp"

namespace rampart::server::mfa {
namespace {

constexpr std::size_t kMaxObject = 16 * 1024;
constexpr std::size_t kMaxCredentialId = 1023;  // WebAuthn 7.1, step 23

struct FreeItem {
    void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, FreeItem>;
using FidoCredential = std::unique_ptr<fido_cred_t, FidoDeleter<fido_cred_free>>;

struct AttestationObject {
    std::string format;
    std::vector<std::uint8_t> statement;  // CBOR
    std::vector<std::uint8_t> authenticator_data;
    bool statement_is_empty = false;
};

std::vector<std::uint8_t> Encoded(const cbor_item_t* item) {
    unsigned char* bytes = nullptr;
    std::size_t capacity = 0;
    const std::size_t size = cbor_serialize_alloc(item, &bytes, &capacity);
    if (size == 0) throw std::bad_alloc();
    std::vector<std::uint8_t> encoded(bytes, bytes + size);
    free(bytes);
    return encoded;
}

std::optional<std::string> TextOf(const cbor_item_t* item) {
    if (!cbor_isa_string(item) || !cbor_string_is_definite(item)) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(cbor_string_handle(item)),
                       cbor_string_length(item));
}

// Of exactly its three members: whatever else stands there, somebody has put it there.
AttestationObject ReadObject(ByteView bytes) {
    Demand(bytes.size() <= kMaxObject, WebAuthnFault::kMalformed);
    cbor_load_result result{};
    const Item object(cbor_load(bytes.data(), bytes.size(), &result));
    Demand(object && result.read == bytes.size() && cbor_isa_map(object.get()) &&
               cbor_map_is_definite(object.get()) && cbor_map_size(object.get()) == 3,
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
        } else if (name == "authData" && cbor_isa_bytestring(pair.value) &&
                   cbor_bytestring_is_definite(pair.value)) {
            const unsigned char* data = cbor_bytestring_handle(pair.value);
            read.authenticator_data.assign(data, data + cbor_bytestring_length(pair.value));
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
    Demand(complete && (fido_cred_verify(credential) == FIDO_OK ||
                        fido_cred_verify_self(credential) == FIDO_OK),
           WebAuthnFault::kAttestation);
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

std::vector<std::uint8_t> Copy(const unsigned char* bytes, std::size_t size) {
    return bytes == nullptr ? std::vector<std::uint8_t>()
                            : std::vector<std::uint8_t>(bytes, bytes + size);
}

}  // namespace

Credential VerifyRegistration(const RelyingParty& party, ByteView challenge, ByteView client_data,
                              ByteView attestation_object) {
    CheckClientData(party, "webauthn.create", challenge, client_data);
    const AttestationObject object = ReadObject(attestation_object);
    const AuthenticatorHead head = ReadHead(object.authenticator_data);
    CheckHead(party, head);

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
