// What the SQL functions of sql/rampart/ need of the keyring: new wrapped keys, names and tags.
// None of these is granted to anybody but the extension's owner.
#include <string>

#include "pg/postgres.hpp"

#include "crypto/random.hpp"
#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/keyring.hpp"
#include "typmod.hpp"

extern "C" {
#include "commands/trigger.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace rampart::pg::functions {
namespace {

// Key ids are random: unique among all databases, so that keyrings can be moved and merged.
std::uint64_t NewKeyId() {
    std::uint8_t bytes[sizeof(std::uint64_t)];
    RandomBytes(bytes);
    return LoadBigEndian<std::uint64_t>(bytes);
}

struct WrappedKey {
    std::uint64_t id;
    std::uint64_t root_key;
    std::uint8_t bytes[64];
    std::size_t size;
};

WrappedKey MakeKey(const KeyIdentity& identity) {
    const RootKey& root = keyring::Keyring::Current().RootKeyForNewKeys();
    const std::vector<std::uint8_t> wrapped = root.Wrap(identity, SecretKey::Random());
    WrappedKey key{identity.id, root.fingerprint(), {}, wrapped.size()};
    std::copy(wrapped.begin(), wrapped.end(), key.bytes);
    return key;
}

// (scope text, purpose text, version int4) -> (id int8, wrapped bytea, root_key int8)
Datum NewKey(FunctionCallInfo fcinfo) {
    const WrappedKey key =
        MakeKey({NewKeyId(), static_cast<std::uint32_t>(PG_GETARG_INT32(2)),
                 PurposeNamed(TextArgument(fcinfo, 1)), TextArgument(fcinfo, 0)});
    Datum values[] = {Int64GetDatum(static_cast<std::int64_t>(key.id)),
                      Text(AsText({key.bytes, key.size})),
                      Int64GetDatum(static_cast<std::int64_t>(key.root_key))};
    bool nulls[] = {false, false, false};
    return Record(fcinfo, values, nulls);
}

Datum TagOf(FunctionCallInfo fcinfo) {
    const std::string_view name = TextArgument(fcinfo, 0);
    if (!IsScopeName(name)) {
        throw Error(
            errc::kInvalidParameter, "not a name for a scope", "",
            "1 to 63 letters, digits, underscores, hyphens and dots, beginning with a letter "
            "or an underscore.");
    }
    PG_RETURN_INT32(static_cast<std::int32_t>(ScopeTag(name)));
}

// Trigger on the keyring's tables: every backend rebuilds its keyring after the commit, this one at
// once. Stands on the tables and not in the functions, so that a direct change is seen as well.
Datum KeyringChanged(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw Error(errc::kInternal, "keyring_changed must be called as a trigger");
    const auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
    CacheInvalidateRelcache(trigger->tg_relation);
    return PointerGetDatum(nullptr);
}

}  // namespace
}  // namespace rampart::pg::functions

namespace functions = rampart::pg::functions;

RAMPART_FUNCTION(rampart_new_key) { return functions::NewKey(fcinfo); }
RAMPART_FUNCTION(rampart_scope_tag) { return functions::TagOf(fcinfo); }
RAMPART_FUNCTION(rampart_keyring_changed) { return functions::KeyringChanged(fcinfo); }
RAMPART_FUNCTION(rampart_key_id_text) {
    const std::string digits = rampart::KeyIdText(static_cast<std::uint64_t>(PG_GETARG_INT64(0)));
    return functions::Text(digits);
}
