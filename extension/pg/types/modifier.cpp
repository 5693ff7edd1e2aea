// Type modifiers: (scope [, random | deterministic]).
#include <vector>

#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/settings.hpp"
#include "typmod.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace rampart::pg::types {
namespace {

constexpr int kMaxWords = 4;

struct Words {
    std::string_view words[kMaxWords];
    std::size_t count;
};

Words WordsOf(ArrayType* array) {
    Datum* elements = nullptr;
    int count = 0;
    deconstruct_array(array, CSTRINGOID, -2, false, TYPALIGN_CHAR, &elements, nullptr, &count);
    Words result{};
    for (int i = 0; i < count && i < kMaxWords; ++i)
        result.words[result.count++] = DatumGetCString(elements[i]);
    return result;
}

void RequireKnownScope(std::string_view name, const Modifier& modifier) {
    keyring::Keyring& keyring = keyring::Keyring::Current();
    if (name.starts_with('#') || keyring.FindScopeByTag(modifier.scope_tag) != nullptr) return;
    // A dump's tables come before its scopes.
    if (keyring.scopes().empty()) return;
    keyring.ScopeNamed(name);
}

std::int32_t ModifierIn(ArrayType* array, bool deterministic_allowed) {
    const Words words = WordsOf(array);
    const Modifier modifier = ParseModifier({words.words, words.count});
    if (modifier.mode == Mode::kDeterministic) {
        if (!deterministic_allowed) {
            throw Error(
                errc::kDeterministicRefused, "this type cannot be deterministic",
                "Equal numerics and jsonb values may be written differently, and two "
                "booleans hide nothing.",
                "Leave the mode out, or store the value in an enc_text or enc_int8 column.");
        }
        if (!settings::allow_deterministic) {
            throw Error(errc::kDeterministicRefused, "deterministic mode is not allowed here",
                        "Setting rampart.allow_deterministic is off.");
        }
    }
    RequireKnownScope(words.words[0], modifier);
    return PackModifier(modifier);
}

const char* ModifierOut(std::int32_t typmod) {
    const Modifier modifier = UnpackModifier(typmod);
    const keyring::Scope* scope = keyring::Keyring::Current().FindScopeByTag(modifier.scope_tag);
    const std::string name = scope != nullptr ? scope->name : ScopeTagText(modifier.scope_tag);
    // No destructor is skipped if quoting fails: it allocates a name's length and no more.
    return pstrdup(FormatModifier(quote_identifier(name.c_str()), modifier.mode).c_str());
}

}  // namespace
}  // namespace rampart::pg::types

RAMPART_FUNCTION(rampart_modifier_in) {
    PG_RETURN_INT32(rampart::pg::types::ModifierIn(PG_GETARG_ARRAYTYPE_P(0), true));
}

RAMPART_FUNCTION(rampart_modifier_in_randomised_only) {
    PG_RETURN_INT32(rampart::pg::types::ModifierIn(PG_GETARG_ARRAYTYPE_P(0), false));
}

RAMPART_FUNCTION(rampart_modifier_out) {
    PG_RETURN_CSTRING(rampart::pg::types::ModifierOut(PG_GETARG_INT32(0)));
}
