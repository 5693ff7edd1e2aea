// rampart.encrypt, decrypt and their kin: the same ciphertexts as the types', as bytea, for columns
// and places that the user manages.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/log_privacy.hpp"
#include "pg/settings.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/builtins.h"
}

namespace rampart::pg::functions {
namespace {

using keyring::Keyring;
using keyring::Scope;
using types::KindInfo;

// Associated data: the text in UTF-8, nothing where it is NULL or left out.
ByteView Aad(FunctionCallInfo fcinfo, int number) {
    if (PG_NARGS() <= number || PG_ARGISNULL(number)) return {};
    return types::Encode(types::InfoOf(Kind::kText), PG_GETARG_DATUM(number), nullptr);
}

Datum Encrypt(FunctionCallInfo fcinfo, Kind kind, Mode mode) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
    if (mode == Mode::kDeterministic && !settings::allow_deterministic) {
        throw Error(errc::kDeterministicRefused, "deterministic mode is not allowed here",
                    "Setting rampart.allow_deterministic is off.");
    }
    log_privacy::Touch();
    types::Scratch scratch;
    const ByteView plaintext = types::Encode(types::InfoOf(kind), PG_GETARG_DATUM(1), &scratch);
    Keyring& keyring = Keyring::Current();
    Scope& scope = keyring.ScopeNamed(TextArgument(fcinfo, 0));
    keyring::RequireRight(scope, keyring::kEncrypt);
    return PointerGetDatum(types::NewSealed(keyring, scope, mode, kind, plaintext, Aad(fcinfo, 2)));
}

Datum OpenChecked(ByteView bytes, Kind kind, ByteView aad) {
    log_privacy::Touch();
    const Ciphertext ciphertext = types::ParseSealed(bytes, kind);
    Keyring& keyring = Keyring::Current();
    keyring::RequireRight(*keyring.KeyWithId(ciphertext.key_id).scope, keyring::kDecrypt);
    return types::OpenToPlain(keyring, ciphertext, aad);
}

Datum Decrypt(FunctionCallInfo fcinfo, Kind kind) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return OpenChecked(types::DetoastedBytes(PG_GETARG_DATUM(0)), kind, Aad(fcinfo, 1));
}

bool IsPermissionDenied(const Error& error) {
    return error.state().view() == errc::kInsufficientPrivilege.view();
}

// NULL for whatever cannot be decrypted; a missing right is still an error.
Datum TryDecrypt(FunctionCallInfo fcinfo, Kind kind, ByteView aad) {
    try {
        return OpenChecked(types::DetoastedBytes(PG_GETARG_DATUM(0)), kind, aad);
    } catch (const Error& error) {
        if (IsPermissionDenied(error)) throw;
    }
    PG_RETURN_NULL();
}

struct ProblemText {
    char text[256];
};

// What is wrong with a ciphertext, without showing what it says: so no right is needed.
ProblemText FindProblem(ByteView bytes) {
    ProblemText problem{};
    try {
        const Kind kind = types::Identify(bytes).kind;
        const ByteView plaintext =
            types::OpenSealed(Keyring::Current(), types::ParseSealed(bytes, kind));
        Wipe({const_cast<std::uint8_t*>(plaintext.data()), plaintext.size()});
    } catch (const Error& error) {
        strlcpy(problem.text, error.state().code, sizeof problem.text);
        strlcat(problem.text, ": ", sizeof problem.text);
        strlcat(problem.text, error.what(), sizeof problem.text);
    }
    return problem;
}

Datum Problem(FunctionCallInfo fcinfo) {
    const ProblemText problem = FindProblem(types::DetoastedBytes(PG_GETARG_DATUM(0)));
    if (problem.text[0] == '\0') PG_RETURN_NULL();
    return CStringGetTextDatum(problem.text);
}

Datum BlindIndex(FunctionCallInfo fcinfo) {
    log_privacy::Touch();
    const ByteView value = types::Encode(types::InfoOf(Kind::kText), PG_GETARG_DATUM(1), nullptr);
    Keyring& keyring = Keyring::Current();
    Scope& scope = keyring.ScopeNamed(TextArgument(fcinfo, 0));
    keyring::RequireRight(scope, keyring::kEncryptOrDecrypt);
    const auto token = keyring.Index(scope).BlindIndex(Aad(fcinfo, 2), value);
    return PointerGetDatum(
        cstring_to_text_with_len(reinterpret_cast<const char*>(token.data()), token.size()));
}

}  // namespace
}  // namespace rampart::pg::functions

using rampart::Kind;
using rampart::Mode;
namespace functions = rampart::pg::functions;

RAMPART_FUNCTION(rampart_encrypt_text) {
    return functions::Encrypt(fcinfo, Kind::kText, Mode::kRandomised);
}
RAMPART_FUNCTION(rampart_encrypt_bytea) {
    return functions::Encrypt(fcinfo, Kind::kBytea, Mode::kRandomised);
}
RAMPART_FUNCTION(rampart_encrypt_jsonb) {
    return functions::Encrypt(fcinfo, Kind::kJsonb, Mode::kRandomised);
}
RAMPART_FUNCTION(rampart_encrypt_deterministic_text) {
    return functions::Encrypt(fcinfo, Kind::kText, Mode::kDeterministic);
}
RAMPART_FUNCTION(rampart_encrypt_deterministic_bytea) {
    return functions::Encrypt(fcinfo, Kind::kBytea, Mode::kDeterministic);
}
RAMPART_FUNCTION(rampart_decrypt_text) { return functions::Decrypt(fcinfo, Kind::kText); }
RAMPART_FUNCTION(rampart_decrypt_bytea) { return functions::Decrypt(fcinfo, Kind::kBytea); }
RAMPART_FUNCTION(rampart_decrypt_jsonb) { return functions::Decrypt(fcinfo, Kind::kJsonb); }
RAMPART_FUNCTION(rampart_try_decrypt) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return functions::TryDecrypt(fcinfo, Kind::kText, functions::Aad(fcinfo, 1));
}
RAMPART_FUNCTION(rampart_problem) { return functions::Problem(fcinfo); }
RAMPART_FUNCTION(rampart_blind_index) { return functions::BlindIndex(fcinfo); }

// try_decrypt of an encrypted column's value.
#define RAMPART_KIND_TRY(name, kind) \
    RAMPART_FUNCTION(rampart_##name##_try_plain) { return functions::TryDecrypt(fcinfo, kind, {}); }
RAMPART_KIND_TRY(text, Kind::kText)
RAMPART_KIND_TRY(bytea, Kind::kBytea)
RAMPART_KIND_TRY(jsonb, Kind::kJsonb)
RAMPART_KIND_TRY(numeric, Kind::kNumeric)
RAMPART_KIND_TRY(int8, Kind::kInt8)
RAMPART_KIND_TRY(date, Kind::kDate)
RAMPART_KIND_TRY(timestamptz, Kind::kTimestamptz)
RAMPART_KIND_TRY(uuid, Kind::kUuid)
RAMPART_KIND_TRY(bool, Kind::kBool)
