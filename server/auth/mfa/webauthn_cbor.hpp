// CBOR, of which attestation objects are. libcbor reads it; here is what it leaves open. For
// webauthn_*.cpp only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <cbor.h>

#include "bytes.hpp"

namespace rampart::server::mfa {

struct CborDeleter {
    void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using CborItem = std::unique_ptr<cbor_item_t, CborDeleter>;

// libcbor, also below libfido2, makes room for as many items as maps and arrays claim to have.
// Throws WebAuthnRefused where that is more than the bytes can hold.
void CheckClaims(ByteView cbor);

// One item, and nothing behind it. Throws WebAuthnRefused.
CborItem Load(ByteView cbor);

// Nothing: it is no text, or no byte string.
std::optional<std::string> TextOf(const cbor_item_t* item);
std::optional<std::vector<std::uint8_t>> BlobOf(const cbor_item_t* item);

// As it was read.
std::vector<std::uint8_t> Encoded(const cbor_item_t* item);

}  // namespace rampart::server::mfa
