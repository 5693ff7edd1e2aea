#include "auth/mfa/webauthn_cbor.hpp"

#include <new>

#include "auth/mfa/webauthn_parts.hpp"

namespace rampart::server::mfa {

void CheckClaims(ByteView cbor) {
    std::size_t claimed = 0;
    cbor_callbacks heads = cbor_empty_callbacks;
    heads.map_start = heads.array_start = [](void* sum, std::size_t items) {
        auto& total = *static_cast<std::size_t*>(sum);
        total = items > SIZE_MAX - total ? SIZE_MAX : total + items;
    };
    for (std::size_t at = 0; at < cbor.size();) {
        const cbor_decoder_result head =
            cbor_stream_decode(cbor.data() + at, cbor.size() - at, &heads, &claimed);
        Demand(claimed <= cbor.size(), WebAuthnFault::kMalformed);
        if (head.status != CBOR_DECODER_FINISHED) return;  // whoever loads it will see that, too
        at += head.read;
    }
}

CborItem Load(ByteView cbor) {
    CheckClaims(cbor);
    cbor_load_result result{};
    CborItem item(cbor_load(cbor.data(), cbor.size(), &result));
    Demand(item && result.read == cbor.size(), WebAuthnFault::kMalformed);
    return item;
}

std::optional<std::string> TextOf(const cbor_item_t* item) {
    if (!cbor_isa_string(item) || !cbor_string_is_definite(item)) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(cbor_string_handle(item)),
                       cbor_string_length(item));
}

std::optional<std::vector<std::uint8_t>> BlobOf(const cbor_item_t* item) {
    if (!cbor_isa_bytestring(item) || !cbor_bytestring_is_definite(item)) return std::nullopt;
    const unsigned char* bytes = cbor_bytestring_handle(item);
    return std::vector<std::uint8_t>(bytes, bytes + cbor_bytestring_length(item));
}

std::vector<std::uint8_t> Encoded(const cbor_item_t* item) {
    unsigned char* bytes = nullptr;
    std::size_t capacity = 0;
    const std::size_t size = cbor_serialize_alloc(item, &bytes, &capacity);
    if (size == 0) throw std::bad_alloc();
    std::vector<std::uint8_t> encoded(bytes, bytes + size);
    free(bytes);
    return encoded;
}

}  // namespace rampart::server::mfa
