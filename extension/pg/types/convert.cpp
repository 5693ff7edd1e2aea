#include <cstring>

#include "pg/types/convert.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/log_privacy.hpp"
#include "pg/settings.hpp"
#include "pg/types/compare.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/copy.h"
#include "replication/logicalworker.h"
#include "replication/walsender.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg::types {
namespace {

TimestampTz conditional_copy = 0;

using keyring::Key;
using keyring::Keyring;
using keyring::Scope;

Datum PointerDatum(const varlena* value) { return PointerGetDatum(value); }

Mode ModeOf(Form form) {
    return form == Form::kDeterministic ? Mode::kDeterministic : Mode::kRandomised;
}

[[noreturn]] void ThrowTokenAsValue() {
    throw Error(errc::kScopeUndetermined, "a comparand was used as a value",
                "It stands beside an encrypted column to be compared with it, nothing else.");
}

void RequireArmourAllowed(const Scope& scope) {
    if (settings::armour_input != settings::kArmourAuto || IsLogicalWorker()) return;
    if (!keyring::HasRight(scope, keyring::kDecrypt)) return;
    throw Error(errc::kArmourRefused, "input looks like ciphertext, and this role could decrypt it",
                "An application that stores what users type would hand them other people's values.",
                "To load ciphertext on purpose: SET rampart.armour_input = 'verify'.");
}

bool TrustsArmour() { return settings::armour_input == settings::kArmourTrust && superuser(); }

// True if the tag was right; false if it cannot be known for lack of a root key, where nothing
// could be decrypted anyway: a dump must restore before its root key is there.
bool VerifyTag(Keyring& keyring, const Ciphertext& ciphertext) {
    try {
        const ByteView plaintext = OpenSealed(keyring, ciphertext);
        Wipe({const_cast<std::uint8_t*>(plaintext.data()), plaintext.size()});
        return true;
    } catch (const Error& error) {
        if (error.state().view() != errc::kNoRootKey.view() &&
            error.state().view() != errc::kWrongRootKey.view()) {
            throw;
        }
        return false;
    }
}

void AcceptArmour(Keyring& keyring, const Ciphertext& ciphertext) {
    if (keyring.empty() || TrustsArmour()) return;
    Key& key = keyring.KeyWithId(ciphertext.key_id);
    RequireArmourAllowed(*key.scope);
    if (VerifyTag(keyring, ciphertext)) return;
    Warn(errc::kNoRootKey, "ciphertext stored without verification: its root key is not there",
         "SELECT * FROM rampart.status() shows what is wrong with the root key.");
}

bool Fits(Keyring& keyring, const Identity& identity, const Modifier& modifier) {
    if (ModeOf(identity.form) != modifier.mode) return false;
    const Key* key = keyring.FindKey(identity.key_id);
    // Unknown while a dump is being restored; nothing could be done about it then either.
    return key == nullptr ? keyring.empty() || TrustsArmour()
                          : key->scope->tag == modifier.scope_tag;
}

Datum SealFor(Kind kind, ByteView plaintext, const Modifier& modifier) {
    Keyring& keyring = Keyring::Current();
    Scope& scope = keyring.ScopeTagged(modifier.scope_tag);
    keyring::RequireRight(scope, keyring::kEncrypt);
    return PointerDatum(NewSealed(keyring, scope, modifier.mode, kind, plaintext));
}

}  // namespace

void NoteConditionalCopy() { conditional_copy = GetCurrentStatementStartTimestamp(); }

// COPY itself is calling, for a constraint or a domain: a trigger's function would have its own
// callback on top.
bool IsCopyLoading() {
    return error_context_stack != nullptr &&
           error_context_stack->callback == CopyFromErrorCallback &&
           conditional_copy != GetCurrentStatementStartTimestamp();
}

bool IsUnknownWhileLoading(const Identity& identity, std::uint8_t rights) {
    if (!IsCopyLoading()) return false;
    Keyring& keyring = Keyring::Current();
    if (keyring.empty()) return true;
    const Key* key = keyring.FindKey(identity.key_id);
    return key != nullptr && !keyring::HasRight(*key->scope, rights);
}

Scope& ScopeOf(Keyring& keyring, const Identity& identity) {
    return *keyring.KeyWithId(identity.key_id).scope;
}

Datum FromPlaintext(Kind kind, ByteView plaintext, std::int32_t typmod) {
    log_privacy::Touch();
    if (typmod < 0) return PointerDatum(NewHeld(kind, plaintext));
    return SealFor(kind, plaintext, UnpackModifier(typmod));
}

Datum FromArmour(Kind kind, std::string_view armour, std::int32_t typmod) {
    const Datum value = PointerDatum(NewFromArmour(armour));
    AcceptArmour(Keyring::Current(), ParseSealed(DetoastedBytes(value), kind));
    return typmod < 0 ? value : Coerce(value, typmod);
}

Datum Coerce(Datum value, std::int32_t typmod) {
    if (typmod < 0) return value;
    const Modifier modifier = UnpackModifier(typmod);
    const Identity identity = IdentifyDatum(value);
    if (identity.form == Form::kHeld) return SealFor(identity.kind, identity.held, modifier);
    if (identity.form == Form::kToken) ThrowTokenAsValue();
    Keyring& keyring = Keyring::Current();
    if (Fits(keyring, identity, modifier)) return value;
    keyring::RequireRight(ScopeOf(keyring, identity), keyring::kDecrypt);
    const ByteView plaintext =
        OpenSealed(keyring, ParseSealed(DetoastedBytes(value), identity.kind));
    return SealFor(identity.kind, plaintext, modifier);
}

Datum ToPlain(Kind kind, Datum value) {
    log_privacy::Touch();
    const ByteView bytes = DetoastedBytes(value);
    const Identity identity = Identify(bytes);
    if (identity.form == Form::kHeld) return Decode(InfoOf(identity.kind), identity.held);
    if (identity.form == Form::kToken) ThrowTokenAsValue();
    Keyring& keyring = Keyring::Current();
    const Ciphertext ciphertext = ParseSealed(bytes, kind);
    keyring::RequireRight(ScopeOf(keyring, identity), keyring::kDecrypt);
    return OpenToPlain(keyring, ciphertext);
}

namespace {

// Replicas get ciphertext, whatever the role that carries it to them may see.
bool IsReplicating() { return am_walsender || HistoricSnapshotActive(); }

// A scope that answers with something else than armour does so by a rewrite that a statement
// planned before the library was loaded has not had.
void RequireVeiled(const Identity& identity) {
    if (identity.form == Form::kToken) return;
    const Key* key = IsReplicating() ? nullptr : Keyring::Current().FindKey(identity.key_id);
    if (key != nullptr && key->scope->denied != keyring::Denied::kArmour) RequirePlannedWithUs();
}

// A key that nobody knows has no scope to ask for rights in: an error for those who read plaintext
// elsewhere, so that they never take armour for a value; armour for the rest, so that dumps go on.
bool MayReveal(Keyring& keyring, std::uint64_t key_id) {
    const Key* key = keyring.FindKey(key_id);
    if (key != nullptr) return keyring::HasRight(*key->scope, keyring::kDecrypt);
    for (const auto& scope : keyring.scopes()) {
        if (keyring::HasRight(*scope, keyring::kDecrypt)) return true;
    }
    return false;
}

}  // namespace

Shown Show(Kind kind, Datum value) {
    const ByteView bytes = DetoastedBytes(value);
    const Identity identity = Identify(bytes);
    if (identity.form == Form::kHeld) {
        const std::size_t size = identity.held.size();
        auto* copy = static_cast<std::uint8_t*>(palloc(size + 1));
        std::memcpy(copy, identity.held.data(), size);
        copy[size] = '\0';
        return {true, {copy, size}, nullptr};
    }
    const bool may_show = identity.form != Form::kToken && settings::reveal && !IsReplicating();
    if (may_show && MayReveal(Keyring::Current(), identity.key_id)) {
        log_privacy::Touch();
        return {true, OpenSealed(Keyring::Current(), ParseSealed(bytes, kind)), nullptr};
    }
    RequireVeiled(identity);
    const std::size_t size = ArmourSize(bytes.size());
    char* armour = static_cast<char*>(palloc_extended(size + 1, MCXT_ALLOC_HUGE));
    WriteArmour(bytes, armour);
    armour[size] = '\0';
    return {false, {}, armour};
}

varlena* TokenFor(Keyring& keyring, Scope& scope, Kind kind, ByteView plaintext) {
    keyring::RequireRight(scope, keyring::kEncryptOrDecrypt);
    std::uint8_t iv[Aead::kIvSize];
    keyring.Index(scope).DeterministicIv(kind, {}, plaintext, iv);
    return NewToken(kind, scope.index->id, iv);
}

void RequireScope(const Identity& identity, std::uint32_t scope_tag) {
    if (identity.form == Form::kRandomised) {
        throw Error(errc::kNotComparable, "a randomised value cannot be compared", "",
                    "Declare its column deterministic, or cast it to its plain type.");
    }
    Keyring& keyring = Keyring::Current();
    const Scope& scope = keyring.ScopeTagged(scope_tag);
    const Scope& other = ScopeOf(keyring, identity);
    if (&other == &scope) return;
    throw Error(
        errc::kScopesDiffer,
        "values of scopes \"" + scope.name + "\" and \"" + other.name + "\" cannot be compared", "",
        "Cast both to their plain type.");
}

}  // namespace rampart::pg::types
