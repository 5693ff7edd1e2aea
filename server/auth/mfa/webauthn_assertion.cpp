#include <memory>
#include <new>

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "auth/mfa/webauthn_cbor.hpp"
#include "auth/mfa/webauthn_parts.hpp"

namespace rampart::server::mfa {
namespace {

using FidoAssertion = std::unique_ptr<fido_assert_t, FidoDeleter<fido_assert_free>>;

template <auto kNew, auto kFree, auto kRead>
bool VerifyWith(const fido_assert_t* assertion, const Credential& known) {
    const std::unique_ptr<std::remove_pointer_t<decltype(kNew())>, FidoDeleter<kFree>> key(kNew());
    if (!key) throw std::bad_alloc();
    return kRead(key.get(), known.public_key.data(), known.public_key.size()) == FIDO_OK &&
           fido_assert_verify(assertion, 0, static_cast<int>(known.algorithm), key.get()) ==
               FIDO_OK;
}

bool HasGoodSignature(const fido_assert_t* assertion, const Credential& known) {
    switch (known.algorithm) {
        case CoseAlgorithm::kEs256:
            return VerifyWith<es256_pk_new, es256_pk_free, es256_pk_from_ptr>(assertion, known);
        case CoseAlgorithm::kEdDsa:
            return VerifyWith<eddsa_pk_new, eddsa_pk_free, eddsa_pk_from_ptr>(assertion, known);
        case CoseAlgorithm::kRs256:
            return VerifyWith<rs256_pk_new, rs256_pk_free, rs256_pk_from_ptr>(assertion, known);
    }
    return false;
}

}  // namespace

Credential VerifyAssertion(const RelyingParty& party, ByteView challenge, const Credential& known,
                           ByteView client_data, ByteView authenticator_data, ByteView signature) {
    CheckClientData(party, "webauthn.get", challenge, client_data);
    const AuthenticatorHead head = ReadHead(authenticator_data);
    CheckHead(party, head);
    CheckClaims(authenticator_data.subspan(kHeadSize));

    const FidoAssertion assertion(fido_assert_new());
    if (!assertion) throw std::bad_alloc();
    fido_assert_t* raw = assertion.get();
    const bool complete =
        fido_assert_set_rp(raw, party.id.c_str()) == FIDO_OK &&
        fido_assert_set_clientdata(raw, client_data.data(), client_data.size()) == FIDO_OK &&
        fido_assert_set_count(raw, 1) == FIDO_OK &&
        fido_assert_set_up(raw, FIDO_OPT_TRUE) == FIDO_OK &&
        fido_assert_set_uv(raw, party.verify_user ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
        fido_assert_set_authdata_raw(raw, 0, authenticator_data.data(),
                                     authenticator_data.size()) == FIDO_OK;
    Demand(complete, WebAuthnFault::kMalformed);
    Demand(fido_assert_set_sig(raw, 0, signature.data(), signature.size()) == FIDO_OK &&
               HasGoodSignature(raw, known),
           WebAuthnFault::kSignature);
    // Only what is signed says anything of counters and copies.
    Demand(head.counter > known.counter || (head.counter == 0 && known.counter == 0),
           WebAuthnFault::kCounter);
    Demand(head.backup_eligible == known.backup_eligible, WebAuthnFault::kBackupState);

    Credential used = known;
    used.counter = head.counter;
    used.backed_up = head.backed_up;
    used.user_verified = head.user_verified;
    return used;
}

}  // namespace rampart::server::mfa
