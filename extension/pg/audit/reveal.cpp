// rampart.reveal_entry: the armour in a JSON value replaced by what it says, as far as the caller
// may decrypt. What he may not, what was altered and what only looks like armour stays as it is.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/audit/json.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/log_privacy.hpp"
#include "pg/types/kinds.hpp"
#include "pg/types/value.hpp"

namespace rampart::pg::audit {
namespace {

struct Opened {
    bool done;
    Kind kind;
    Datum plain;
};

Opened Open(std::string_view text) {
    const auto size = LooksLikeArmour(text) ? DearmouredSize(text) : std::nullopt;
    if (!size) return {};
    auto* bytes = static_cast<std::uint8_t*>(palloc(*size));
    if (!Dearmour(text, bytes)) return {};
    const auto ciphertext = ParseCiphertext({bytes, *size});
    if (!ciphertext) return {};
    keyring::Keyring& keyring = keyring::Keyring::Current();
    const keyring::Key* key = keyring.FindKey(ciphertext->key_id);
    if (key == nullptr || !keyring::HasRight(*key->scope, keyring::kDecrypt)) return {};
    log_privacy::Touch();
    try {
        return {true, ciphertext->kind, types::OpenToPlain(keyring, *ciphertext)};
    } catch (const Error&) {  // of the key or of this value
        return {};
    }
}

void PushRevealed(JsonbParseState** state, JsonbIteratorToken token, JsonbValue* value) {
    const auto length =
        static_cast<std::size_t>(value->type == jbvString ? value->val.string.len : 0);
    const Opened opened =
        value->type == jbvString ? Open({value->val.string.val, length}) : Opened{};
    if (!opened.done) {
        pushJsonbValue(state, token, value);
        return;
    }
    PushValue(state, token, *PlanOf(types::InfoOf(opened.kind).plain_type), opened.plain);
}

Datum RevealScalar(const Jsonb* value) {
    JsonbValue scalar;
    JsonbExtractScalar(const_cast<JsonbContainer*>(&value->root), &scalar);
    if (scalar.type != jbvString) return JsonbPGetDatum(value);
    // A container to push into; its one element is taken out again.
    JsonbParseState* state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    PushRevealed(&state, WJB_ELEM, &scalar);
    const JsonbValue* array = pushJsonbValue(&state, WJB_END_ARRAY, nullptr);
    return JsonbPGetDatum(JsonbValueToJsonb(&array->val.array.elems[0]));
}

Datum Reveal(const Jsonb* value) {
    if (JB_ROOT_IS_SCALAR(value)) return RevealScalar(value);
    JsonbParseState* state = nullptr;
    JsonbValue part;
    JsonbValue* result = nullptr;
    JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(&value->root));
    JsonbIteratorToken token = JsonbIteratorNext(&iterator, &part, false);
    while (token != WJB_DONE) {
        if (token == WJB_VALUE || token == WJB_ELEM) {
            PushRevealed(&state, token, &part);
        } else {
            result = pushJsonbValue(&state, token, token == WJB_KEY ? &part : nullptr);
        }
        token = JsonbIteratorNext(&iterator, &part, false);
    }
    return JsonbPGetDatum(JsonbValueToJsonb(result));
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_reveal_entry) { return rampart::pg::audit::Reveal(PG_GETARG_JSONB_P(0)); }
