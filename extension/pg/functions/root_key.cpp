// What the SQL functions of sql/rampart/ need of root keys: what a provider says, which root key
// new keys get, and moving a wrapped key from one to another. None is granted to anybody but the
// extension's owner.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/log_privacy.hpp"
#include "pg/types/value.hpp"

namespace rampart::pg::functions {
namespace {

keyring::Provider ProviderNamed(std::string_view name) {
    if (name == "current") return keyring::Provider::kCurrent;
    if (name == "new") return keyring::Provider::kNew;
    throw Error(errc::kInvalidParameter, "a provider of root keys is current or new");
}

// Plain memory, as the result is made of it by calls that may longjmp.
struct Answer {
    char setting[64];
    std::uint64_t fingerprint;
    char problem[256];
};

Answer AnswerOf(keyring::Provider provider) {
    Answer answer{};
    strlcpy(answer.setting, keyring::SettingOf(provider).c_str(), sizeof answer.setting);
    try {
        answer.fingerprint = keyring::AskProvider(provider).fingerprint();
    } catch (const Error& error) {
        strlcpy(answer.problem, error.detail().c_str(), sizeof answer.problem);
    }
    return answer;
}

// (provider text) -> (setting text, fingerprint int8, problem text)
Datum AskRootKey(FunctionCallInfo fcinfo) {
    const Answer answer = AnswerOf(ProviderNamed(TextArgument(fcinfo, 0)));
    const bool failed = answer.problem[0] != '\0';
    Datum values[] = {Text(answer.setting),
                      Int64GetDatum(static_cast<std::int64_t>(answer.fingerprint)),
                      failed ? Text(answer.problem) : Datum{0}};
    bool nulls[] = {false, failed, !failed};
    return Record(fcinfo, values, nulls);
}

using Wrapped = std::array<std::uint8_t, 64>;

// The size of what was written; nothing where the key does not unwrap under this identity. What is
// written is unwrapped again and compared before anybody stores it in the old one's place.
std::optional<std::size_t> Rewrap(KeyIdentity identity, std::uint64_t root_key, ByteView wrapped,
                                  std::uint32_t new_version, std::uint64_t new_root_key,
                                  Wrapped* out) {
    const auto key = keyring::RootKeyFor(root_key).Unwrap(identity, wrapped);
    if (!key) return std::nullopt;
    identity.version = new_version;
    const RootKey& root = keyring::RootKeyFor(new_root_key);
    const std::vector<std::uint8_t> bytes = root.Wrap(identity, *key);
    const auto again = root.Unwrap(identity, bytes);
    if (!again || !ConstantTimeEqual(again->Reveal(), key->Reveal()) || bytes.size() > out->size())
        throw Error(errc::kInternal, "a key that was wrapped does not unwrap");
    std::copy(bytes.begin(), bytes.end(), out->begin());
    return bytes.size();
}

// (id int8, scope text, purpose text, version int4, wrapped bytea, root_key int8, new_version int4,
//  new_root_key int8) -> bytea, NULL where it does not unwrap
Datum RewrapKey(FunctionCallInfo fcinfo) {
    const KeyIdentity identity{static_cast<std::uint64_t>(PG_GETARG_INT64(0)),
                               static_cast<std::uint32_t>(PG_GETARG_INT32(3)),
                               PurposeNamed(TextArgument(fcinfo, 2)), TextArgument(fcinfo, 1)};
    const ByteView wrapped = types::DetoastedBytes(PG_GETARG_DATUM(4));
    Wrapped bytes;
    const std::optional<std::size_t> size =
        Rewrap(identity, static_cast<std::uint64_t>(PG_GETARG_INT64(5)), wrapped,
               static_cast<std::uint32_t>(PG_GETARG_INT32(6)),
               static_cast<std::uint64_t>(PG_GETARG_INT64(7)), &bytes);
    if (!size) PG_RETURN_NULL();
    return Text(AsText({bytes.data(), *size}));
}

Datum RootKeyForNewKeys() {
    // import_keyring()'s statement may hold wrapped keys: not for the log, should it fail.
    log_privacy::Touch();
    const RootKey& root = keyring::Keyring::Current().RootKeyForNewKeys();
    return Int64GetDatum(static_cast<std::int64_t>(root.fingerprint()));
}

}  // namespace
}  // namespace rampart::pg::functions

namespace functions = rampart::pg::functions;

RAMPART_FUNCTION(rampart_ask_root_key) { return functions::AskRootKey(fcinfo); }
RAMPART_FUNCTION(rampart_rewrap_key) { return functions::RewrapKey(fcinfo); }
RAMPART_FUNCTION(rampart_root_key_for_new_keys) { return functions::RootKeyForNewKeys(); }
