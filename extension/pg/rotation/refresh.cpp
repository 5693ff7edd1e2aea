#include "pg/postgres.hpp"

#include "pg/rotation/refresh.hpp"

#include "pg/types/value.hpp"

namespace rampart::pg::rotation {

using keyring::Keyring;

Refreshed Refresh(std::uint32_t scope_tag, Datum value, ByteView aad, Tally* tally) {
    const types::Identity identity = types::IdentifyDatum(value);
    Keyring& keyring = Keyring::Current();
    const keyring::Scope& scope = keyring.ScopeTagged(scope_tag);
    if (scope.active != nullptr && identity.key_id == scope.active->id) {
        ++tally->seen;
        return {value, false};
    }
    if (keyring.KeyWithId(identity.key_id).scope != &scope) return {value, false};
    ++tally->seen;
    const Ciphertext ciphertext = types::ParseSealed(types::DetoastedBytes(value), identity.kind);
    value = PointerGetDatum(types::Reseal(keyring, ciphertext, aad));
    ++tally->done;
    return {value, true};
}

}  // namespace rampart::pg::rotation
