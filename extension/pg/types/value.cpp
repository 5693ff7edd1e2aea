#include <cstring>

#include "pg/types/value.hpp"

#include "error.hpp"
#include "pg/keyring/usage.hpp"
#include "pg/types/kinds.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace rampart::pg::types {
namespace {

constexpr std::size_t kHeldOffset = 2;
constexpr std::size_t kIdentitySize = kBodyOffset;

[[noreturn]] void ThrowMalformed() {
    throw Error(errc::kMalformedCiphertext, "malformed ciphertext", "",
                "SELECT * FROM rampart.verify_column(...) finds the damaged rows of a column.");
}

varlena* NewValue(std::size_t size) {
    if (size > MaxAllocSize - VARHDRSZ)
        throw Error(errc::kValueTooLong, "encrypted value would be longer than 1 GB");
    auto* value = static_cast<varlena*>(palloc(VARHDRSZ + size));
    SET_VARSIZE(value, VARHDRSZ + size);
    return value;
}

std::uint8_t* Payload(varlena* value) { return reinterpret_cast<std::uint8_t*>(VARDATA(value)); }

ByteView View(const varlena* value) {
    return AsBytes({VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)});
}

}  // namespace

bool ReadIdentity(ByteView bytes, Identity* identity) {
    if (bytes.size() < kHeldOffset || bytes[1] == 0 || bytes[1] > kMaxKind) return false;
    identity->form = static_cast<Form>(bytes[0]);
    identity->kind = static_cast<Kind>(bytes[1]);
    switch (identity->form) {
        case Form::kHeld:
            identity->key_id = 0;
            identity->iv = nullptr;
            identity->held = bytes.subspan(kHeldOffset);
            return true;
        case Form::kRandomised:
        case Form::kDeterministic:
        case Form::kToken:
            if (bytes.size() < kIdentitySize) return false;
            identity->key_id = LoadBigEndian<std::uint64_t>(bytes.data() + 2);
            identity->iv = bytes.data() + kIvOffset;
            identity->held = {};
            return true;
    }
    return false;
}

Identity Identify(ByteView bytes) {
    Identity identity;
    if (!ReadIdentity(bytes, &identity)) ThrowMalformed();
    return identity;
}

ByteView BeginningOf(Datum value) {
    auto* pointer = reinterpret_cast<varlena*>(DatumGetPointer(value));
    const bool stored_apart = VARATT_IS_EXTERNAL_ONDISK(pointer);
    return View(stored_apart ? PG_DETOAST_DATUM_SLICE(value, 0, kIdentitySize)
                             : PG_DETOAST_DATUM_PACKED(value));
}

Identity IdentifyDatum(Datum value) { return Identify(BeginningOf(value)); }

ByteView DetoastedBytes(Datum value) { return View(PG_DETOAST_DATUM_PACKED(value)); }

Ciphertext ParseSealed(ByteView bytes, Kind kind) {
    const auto ciphertext = ParseCiphertext(bytes);
    if (!ciphertext) ThrowMalformed();
    if (ciphertext->kind != kind) {
        throw Error(errc::kWrongKind, "ciphertext holds a value of kind " +
                                          std::string(KindName(ciphertext->kind)) + ", not " +
                                          std::string(KindName(kind)));
    }
    return *ciphertext;
}

varlena* NewFromArmour(std::string_view armour) {
    const auto size = DearmouredSize(armour);
    varlena* value = size ? NewValue(*size) : nullptr;
    if (value == nullptr || !Dearmour(armour, Payload(value)))
        throw Error(errc::kMalformedCiphertext, "malformed armour");
    return value;
}

varlena* NewHeld(Kind kind, ByteView plaintext) {
    varlena* value = NewValue(kHeldOffset + plaintext.size());
    std::uint8_t* payload = Payload(value);
    payload[0] = static_cast<std::uint8_t>(Form::kHeld);
    payload[1] = static_cast<std::uint8_t>(kind);
    std::memcpy(payload + kHeldOffset, plaintext.data(), plaintext.size());
    return value;
}

varlena* NewToken(Kind kind, std::uint64_t index_key_id, const std::uint8_t* iv) {
    varlena* value = NewValue(kIdentitySize);
    std::uint8_t* payload = Payload(value);
    payload[0] = static_cast<std::uint8_t>(Form::kToken);
    payload[1] = static_cast<std::uint8_t>(kind);
    StoreBigEndian(index_key_id, payload + 2);
    std::memcpy(payload + kIvOffset, iv, Aead::kIvSize);
    return value;
}

varlena* NewSealed(keyring::Keyring& keyring, keyring::Scope& scope, Mode mode, Kind kind,
                   ByteView plaintext, ByteView aad) {
    DataKey& key = keyring.Active(scope);
    varlena* value = NewValue(kCiphertextOverhead + plaintext.size());
    if (mode == Mode::kRandomised) {
        key.SealRandomised(kind, aad, plaintext, Payload(value));
        if (key.samples() != 0) [[unlikely]]
            keyring::NoteUsage(*scope.active);
    } else {
        std::uint8_t iv[Aead::kIvSize];
        keyring.Index(scope).DeterministicIv(kind, aad, plaintext, iv);
        key.SealDeterministic(kind, iv, aad, plaintext, Payload(value));
    }
    return value;
}

varlena* Reseal(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad) {
    keyring::Scope& scope = *keyring.KeyWithId(ciphertext.key_id).scope;
    DataKey& active = keyring.Active(scope);
    const std::size_t size = ciphertext.body.size();
    varlena* value = NewValue(kCiphertextOverhead + size);
    auto* plaintext = static_cast<std::uint8_t*>(palloc(size + 1));
    OpenSealed(keyring, ciphertext, aad, plaintext);
    if (ciphertext.mode == Mode::kRandomised) {
        active.SealRandomised(ciphertext.kind, aad, {plaintext, size}, Payload(value));
    } else {
        active.SealDeterministic(ciphertext.kind, ciphertext.iv, aad, {plaintext, size},
                                 Payload(value));
    }
    Wipe({plaintext, size});
    pfree(plaintext);
    if (active.samples() != 0) [[unlikely]]
        keyring::NoteUsage(*scope.active);
    return value;
}

void OpenSealed(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad,
                std::uint8_t* out) {
    keyring::Key& key = keyring.KeyWithId(ciphertext.key_id);
    if (keyring.Usable(key).Open(ciphertext, aad, out)) return;
    throw Error(errc::kDecryptionFailed, "decryption failed with key " + KeyIdText(key.id) +
                                             " of scope \"" + key.scope->name + "\"");
}

ByteView OpenSealed(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad) {
    const std::size_t size = ciphertext.body.size();
    auto* plaintext = static_cast<std::uint8_t*>(palloc(size + 1));
    OpenSealed(keyring, ciphertext, aad, plaintext);
    plaintext[size] = '\0';
    return {plaintext, size};
}

Datum OpenToPlain(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad) {
    const KindInfo& info = InfoOf(ciphertext.kind);
    const std::size_t size = ciphertext.body.size();
    if (StoresPlaintextAsIs(info)) {
        varlena* value = NewValue(size);
        OpenSealed(keyring, ciphertext, aad, Payload(value));
        return PointerGetDatum(value);
    }
    if (size <= sizeof(Scratch)) {
        Scratch scratch;
        OpenSealed(keyring, ciphertext, aad, scratch.bytes);
        return Decode(info, {scratch.bytes, size});
    }
    return Decode(info, OpenSealed(keyring, ciphertext, aad));
}

}  // namespace rampart::pg::types
