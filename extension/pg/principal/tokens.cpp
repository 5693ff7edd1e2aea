// rampart.set_principal, and what the SQL that keeps the keys of tokens needs.
#include <ctime>
#include <string>

#include "pg/principal/principal.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/log_privacy.hpp"
#include "pg/principal/token_keys.hpp"
#include "pg/types/value.hpp"
#include "token/compact.hpp"
#include "token/secret_seal.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace rampart::pg::principal {
namespace {

// Tokens are UTF-8. Error RMP08 for what the database's encoding has no character for.
std::string ToServer(const std::string& utf8) {
    struct Converted {
        const char* text;
    };
    try {
        return Call([&] {
                   return Converted{
                       pg_any_to_server(utf8.c_str(), static_cast<int>(utf8.size()), PG_UTF8)};
               })
            .text;
    } catch (const ServerError&) {
        token::Refuse("a claim has characters that this database cannot hold");
    }
}

void ConvertAll(std::vector<std::string>* texts) {
    for (std::string& each : *texts) each = ToServer(each);
}

Principal InServerEncoding(Principal principal) {
    if (GetDatabaseEncoding() == PG_UTF8) return principal;
    principal.subject = ToServer(principal.subject);
    principal.organisation = ToServer(principal.organisation);
    ConvertAll(&principal.roles);
    ConvertAll(&principal.teams);
    ConvertAll(&principal.scopes);
    principal.issuer = ToServer(principal.issuer);
    principal.token_id = ToServer(principal.token_id);
    principal.session = ToServer(principal.session);
    return principal;
}

void SetPrincipal(FunctionCallInfo fcinfo) {
    // The statement may quote the token.
    log_privacy::Touch();
    if (PG_ARGISNULL(0)) token::Refuse("it is NULL");
    const std::string_view given = functions::TextArgument(fcinfo, 0);
    const std::vector<token::Key>& keys = TokenKeys();
    const Principal principal =
        InServerEncoding(token::Verify(given, keys, static_cast<std::int64_t>(time(nullptr))));
    if (Call([&] { return IsRevoked(principal.token_id.c_str()); }))
        token::Refuse("it was revoked");
    Hold(principal);
}

token::Algorithm AlgorithmArgument(FunctionCallInfo fcinfo, int number) {
    const auto algorithm = token::AlgorithmNamed(functions::TextArgument(fcinfo, number));
    if (!algorithm)
        throw Error(errc::kInvalidParameter, "unknown algorithm for tokens", "",
                    "EdDSA, ES256, RS256 or HS256.");
    return *algorithm;
}

// (algorithm text, key text) -> bytea, SubjectPublicKeyInfo; NULL for HS256, whose key is none.
Datum PublicKey(FunctionCallInfo fcinfo) {
    log_privacy::Touch();
    const token::Algorithm algorithm = AlgorithmArgument(fcinfo, 0);
    if (algorithm == token::Algorithm::kHs256) PG_RETURN_NULL();
    const std::vector<std::uint8_t> der =
        token::VerificationKey::FromText(algorithm, functions::TextArgument(fcinfo, 1)).Der();
    return Call([&] { return functions::Text(AsText(der)); });
}

// (kid text, secret text, key_id int8, version int4, wrapped bytea, root_key int8) -> bytea
Datum SealSecret(FunctionCallInfo fcinfo) {
    log_privacy::Touch();
    const std::string_view id = functions::TextArgument(fcinfo, 0);
    const std::string_view text = functions::TextArgument(fcinfo, 1);
    const ByteView wrapped = types::DetoastedBytes(PG_GETARG_DATUM(4));
    const KeyIdentity identity{static_cast<std::uint64_t>(PG_GETARG_INT64(2)),
                               static_cast<std::uint32_t>(PG_GETARG_INT32(3)), KeyPurpose::kToken,
                               ""};
    const auto key = keyring::RootKeyFor(static_cast<std::uint64_t>(PG_GETARG_INT64(5)))
                         .Unwrap(identity, wrapped);
    if (!key)
        throw Error(errc::kUnknownKey, "the key that wraps secrets of tokens is damaged",
                    "Its wrapped form was altered in rampart.key.",
                    "Restore the row from a backup of this database.");
    std::vector<std::uint8_t> secret = token::SecretFromText(text);
    (void)token::VerificationKey::FromSecret(secret);  // of a fitting length
    const std::vector<std::uint8_t> sealed = token::SealSecret(*key, id, secret);
    Wipe(secret);
    return Call([&] { return functions::Text(AsText(sealed)); });
}

}  // namespace
}  // namespace rampart::pg::principal

namespace principal = rampart::pg::principal;

RAMPART_FUNCTION(rampart_set_principal) {
    principal::SetPrincipal(fcinfo);
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_token_public_key) { return principal::PublicKey(fcinfo); }
RAMPART_FUNCTION(rampart_seal_token_secret) { return principal::SealSecret(fcinfo); }
