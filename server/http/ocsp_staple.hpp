// OCSP stapling (RFC 6066, 8): what the certificate's authority has signed that it is not revoked,
// sent with the certificate, so that clients need not ask and nobody learns whom they talk to. A
// job outside fetches it into a file, which is read with the certificate.
#pragma once

#include <ctime>
#include <openssl/types.h>
#include <string>

namespace rampart::server::http {

struct OcspStaple {
    std::string response;        // DER
    std::time_t good_until = 0;  // 0: it does not say
    bool IsGood() const { return good_until == 0 || std::time(nullptr) <= good_until; }
};

// Throws std::runtime_error where the file has none that says of this certificate that it is good.
// Who signed it is for clients to verify. One that has become old is no error: it is not sent.
OcspStaple ReadOcspStaple(const std::string& file, X509* certificate);

// Has connections of a context bear the staple, for as long as it is good. REQUIRES: the context
// has its certificate.
void Staple(SSL_CTX* context, const std::string& file);

}  // namespace rampart::server::http
