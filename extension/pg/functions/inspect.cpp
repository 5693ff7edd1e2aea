// What a ciphertext says about itself, and its two forms. No right is needed: none of it is secret.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "utils/builtins.h"
}

namespace rampart::pg::functions {
namespace {

// (scope text, key_id text, version int4, mode text, kind text, length int4); scope and version are
// NULL for a key that this database does not have. The length is the plaintext's, in bytes.
Datum Inspect(FunctionCallInfo fcinfo) {
    const auto ciphertext = ParseCiphertext(types::DetoastedBytes(PG_GETARG_DATUM(0)));
    if (!ciphertext) throw Error(errc::kMalformedCiphertext, "malformed ciphertext");
    const keyring::Key* key = keyring::Keyring::Current().FindKey(ciphertext->key_id);
    const std::string_view mode = ModeName(ciphertext->mode);
    const std::string_view kind = KindName(ciphertext->kind);
    Datum values[] = {key != nullptr ? Text(key->scope->name) : Datum{0},
                      Text(KeyIdText(ciphertext->key_id)),
                      Int32GetDatum(key != nullptr ? static_cast<int>(key->version) : 0),
                      Text(mode),
                      Text(kind),
                      Int32GetDatum(static_cast<int>(ciphertext->body.size()))};
    bool nulls[] = {key == nullptr, false, key == nullptr, false, false, false};
    return Record(fcinfo, values, nulls);
}

Datum ToArmour(FunctionCallInfo fcinfo) {
    const ByteView bytes = types::DetoastedBytes(PG_GETARG_DATUM(0));
    if (!ParseCiphertext(bytes)) throw Error(errc::kMalformedCiphertext, "malformed ciphertext");
    const std::size_t size = ArmourSize(bytes.size());
    auto* armour = static_cast<text*>(palloc(VARHDRSZ + size));
    SET_VARSIZE(armour, VARHDRSZ + size);
    WriteArmour(bytes, VARDATA(armour));
    return PointerGetDatum(armour);
}

Datum FromArmour(FunctionCallInfo fcinfo) {
    const ByteView bytes = types::DetoastedBytes(PG_GETARG_DATUM(0));
    return PointerGetDatum(types::NewFromArmour(AsText(bytes)));
}

// The bytes of an encrypted column's value.
Datum CiphertextOf(FunctionCallInfo fcinfo) {
    const ByteView bytes = types::DetoastedBytes(PG_GETARG_DATUM(0));
    if (types::Identify(bytes).form == types::Form::kHeld) {
        throw Error(errc::kScopeUndetermined, "a literal has no ciphertext before it has a scope",
                    "", "Cast it: 'x'::enc_text(scope).");
    }
    return PointerGetDatum(
        cstring_to_text_with_len(AsText(bytes).data(), static_cast<int>(bytes.size())));
}

}  // namespace
}  // namespace rampart::pg::functions

namespace functions = rampart::pg::functions;

RAMPART_FUNCTION(rampart_inspect) { return functions::Inspect(fcinfo); }
RAMPART_FUNCTION(rampart_armour) { return functions::ToArmour(fcinfo); }
RAMPART_FUNCTION(rampart_dearmour) { return functions::FromArmour(fcinfo); }
RAMPART_FUNCTION(rampart_ciphertext) { return functions::CiphertextOf(fcinfo); }
