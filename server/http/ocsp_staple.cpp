#include "http/ocsp_staple.hpp"

#include <fstream>
#include <iterator>
#include <memory>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <stdexcept>

#include "crypto/openssl.hpp"

namespace rampart::server::http {
namespace {

using Response = std::unique_ptr<OCSP_RESPONSE, OpenSslDeleter<OCSP_RESPONSE_free>>;
using Basic = std::unique_ptr<OCSP_BASICRESP, OpenSslDeleter<OCSP_BASICRESP_free>>;

std::time_t TimeOf(const ASN1_GENERALIZEDTIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return timegm(&parts);
}

OCSP_SINGLERESP* StatusOf(OCSP_BASICRESP* basic, X509* certificate) {
    for (int i = 0; i < OCSP_resp_count(basic); ++i) {
        OCSP_SINGLERESP* const single = OCSP_resp_get0(basic, i);
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                          const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
        if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0) return single;
    }
    return nullptr;
}

// The context owns its staple: connections that were begun before a reload still use it.
int StapleIndex() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* staple, CRYPTO_EX_DATA*, int, long, void*) {
            delete static_cast<OcspStaple*>(staple);
        });
    return index;
}

int Send(SSL* ssl, void*) {
    const auto* staple =
        static_cast<const OcspStaple*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), StapleIndex()));
    if (staple == nullptr || !staple->IsGood()) return SSL_TLSEXT_ERR_NOACK;
    const std::string& response = staple->response;
    void* const copy = OPENSSL_memdup(response.data(), response.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

OcspStaple ReadOcspStaple(const std::string& file, X509* certificate) {
    std::ifstream stream(file, std::ios::binary);
    OcspStaple staple{{std::istreambuf_iterator<char>(stream), {}}, 0};
    const auto* at = reinterpret_cast<const unsigned char*>(staple.response.data());
    const Response response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(staple.response.size())));
    const Basic basic(response && OCSP_response_status(response.get()) ==
                                      OCSP_RESPONSE_STATUS_SUCCESSFUL
                          ? OCSP_response_get1_basic(response.get())
                          : nullptr);
    ERR_clear_error();
    if (basic == nullptr) throw std::runtime_error(file + " is no answer of an OCSP responder");
    OCSP_SINGLERESP* const single = StatusOf(basic.get(), certificate);
    ASN1_GENERALIZEDTIME* next = nullptr;
    if (single == nullptr || OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &next) !=
                                 V_OCSP_CERTSTATUS_GOOD) {
        throw std::runtime_error(file + " does not say that the certificate is good");
    }
    staple.good_until = TimeOf(next);
    return staple;
}

void Staple(SSL_CTX* context, const std::string& file) {
    auto staple =
        std::make_unique<OcspStaple>(ReadOcspStaple(file, SSL_CTX_get0_certificate(context)));
    if (SSL_CTX_set_ex_data(context, StapleIndex(), staple.get()) != 1) throw std::bad_alloc();
    (void)staple.release();
    SSL_CTX_set_tlsext_status_cb(context, Send);
}

}  // namespace rampart::server::http
