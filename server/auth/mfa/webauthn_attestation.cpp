// Whether a maker that is trusted has signed the certificate of an authenticator's model (WebAuthn
// 7.1, steps 21 and 22). libfido2 has verified what that certificate signs, and nothing about it.
#include <algorithm>
#include <memory>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "auth/mfa/webauthn_cbor.hpp"
#include "auth/mfa/webauthn_parts.hpp"
#include "crypto/openssl.hpp"

namespace rampart::server::mfa {
namespace {

using Certificate = std::unique_ptr<X509, OpenSslDeleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, OpenSslDeleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, OpenSslDeleter<X509_STORE_CTX_free>>;
using Oid = std::unique_ptr<ASN1_OBJECT, OpenSslDeleter<ASN1_OBJECT_free>>;
struct FreeChain {
    void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
using Chain = std::unique_ptr<STACK_OF(X509), FreeChain>;

constexpr std::size_t kMostCertificates = 8;

// The statement's x5c: the model's certificate first, then those between it and its root. Empty
// where a part of it is none.
Chain ChainOf(const cbor_item_t* statement) {
    Chain chain(sk_X509_new_null());
    for (std::size_t i = 0; i < cbor_map_size(statement); ++i) {
        const cbor_pair& pair = cbor_map_handle(statement)[i];
        if (TextOf(pair.key) != "x5c" || !cbor_isa_array(pair.value)) continue;
        const std::size_t size = cbor_array_size(pair.value);
        for (std::size_t n = 0; n < size && size <= kMostCertificates; ++n) {
            const auto der = BlobOf(cbor_array_handle(pair.value)[n]);
            if (!der) return Chain(sk_X509_new_null());
            const unsigned char* end = der->data();
            Certificate certificate(d2i_X509(nullptr, &end, static_cast<long>(der->size())));
            if (!certificate || end != der->data() + der->size()) return Chain(sk_X509_new_null());
            if (sk_X509_push(chain.get(), certificate.get()) > 0) (void)certificate.release();
        }
    }
    return chain;
}

// A certificate that names its model (id-fido-gen-ce-aaguid) vouches for no other.
bool IsOfModel(const X509* certificate, ByteView aaguid) {
    const Oid oid(OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1));
    const int place = X509_get_ext_by_OBJ(certificate, oid.get(), -1);
    if (place < 0) return true;
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, place));
    const ByteView bytes(ASN1_STRING_get0_data(value),
                         static_cast<std::size_t>(ASN1_STRING_length(value)));
    // An OCTET STRING in the extension's own.
    return bytes.size() == aaguid.size() + 2 && bytes[0] == V_ASN1_OCTET_STRING &&
           bytes[1] == aaguid.size() && std::equal(aaguid.begin(), aaguid.end(), &bytes[2]);
}

bool ChainsTo(const std::string& roots, X509* certificate, STACK_OF(X509) * chain) {
    const Store store(X509_STORE_new());
    const StoreContext context(X509_STORE_CTX_new());
    if (!store || !context || X509_STORE_load_file(store.get(), roots.c_str()) != 1 ||
        X509_STORE_CTX_init(context.get(), store.get(), certificate, chain) != 1) {
        return false;
    }
    // Makers publish roots, certificates below them, and those of single models.
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return X509_verify_cert(context.get()) == 1;
}

}  // namespace

bool IsOfTrustedMaker(const std::string& roots, ByteView statement, ByteView aaguid) {
    const Chain chain = ChainOf(Load(statement).get());
    X509* certificate = sk_X509_value(chain.get(), 0);
    const bool trusted = certificate != nullptr && X509_check_ca(certificate) == 0 &&
                         IsOfModel(certificate, aaguid) &&
                         ChainsTo(roots, certificate, chain.get());
    // TLS connections of this thread look at the same queue.
    ERR_clear_error();
    return trusted;
}

}  // namespace rampart::server::mfa
