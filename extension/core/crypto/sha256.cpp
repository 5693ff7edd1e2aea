// The plain calls that OpenSSL 3 deprecates: its EVP contexts are allocated, which costs more than
// hashing two nodes of a tree does. They return 1 always.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.hpp"

namespace rampart {

Sha256Stream::Sha256Stream() { SHA256_Init(&state_); }

void Sha256Stream::Update(ByteView part) { SHA256_Update(&state_, part.data(), part.size()); }

Sha256Digest Sha256Stream::Final() {
    Sha256Digest digest;
    SHA256_Final(digest.data(), &state_);
    return digest;
}

Sha256Digest Sha256(ByteView bytes) {
    Sha256Stream stream;
    stream.Update(bytes);
    return stream.Final();
}

}  // namespace rampart
