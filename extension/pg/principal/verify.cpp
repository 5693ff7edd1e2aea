#include "pg/principal/verify.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/committed.hpp"
#include "pg/detectors/detectors.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/log_privacy.hpp"
#include "pg/types/value.hpp"
#include "token/claims.hpp"
#include "token/jws.hpp"
#include "token/token_key.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::principal {
namespace {

// Columns as sql/rampart/88_principal.sql declares them.
enum KeyColumn : AttrNumber {
    kKid = 1,
    kAlgorithm,
    kMaterial,
    kIssuer,
    kAudience,
    kLeeway,
    kSince,
    kUntil
};

// In the current memory context.
struct KeyRow {
    const char* algorithm;
    const bytea* material;
    const char* issuer;
    const char* audience;
    int leeway;
    TimestampTz since;
    TimestampTz until;  // 0: for ever
};

// What HS256's secret is sealed with beside its key: it opens in no other place.
std::string SecretAad(std::string_view kid) { return "rampart.token_key/" + std::string(kid); }

Datum Column(HeapTuple tuple, AttrNumber number, TupleDesc columns) {
    bool null = false;
    const Datum value = heap_getattr(tuple, number, columns, &null);
    return null ? Datum{0} : value;
}

template <typename Visit>
void ScanNow(const char* table_name, const char* index, std::string_view key, const Visit& visit) {
    const Oid table = OwnTable(table_name);
    if (!OidIsValid(table)) return;
    LockRelationOid(table, AccessShareLock);
    const Snapshot snapshot = TakeCommitted(table);
    ScanCommitted(snapshot, table, index, key, visit);
    UnregisterSnapshot(snapshot);
}

bool FindKey(std::string_view kid, KeyRow* row) {
    bool found = false;
    ScanNow("token_key", "token_key_pkey", kid, [&](HeapTuple tuple, TupleDesc columns) {
        found = true;
        *row = {TextDatumGetCString(Column(tuple, kAlgorithm, columns)),
                DatumGetByteaPCopy(Column(tuple, kMaterial, columns)),
                TextDatumGetCString(Column(tuple, kIssuer, columns)),
                TextDatumGetCString(Column(tuple, kAudience, columns)),
                DatumGetInt32(Column(tuple, kLeeway, columns)),
                DatumGetTimestampTz(Column(tuple, kSince, columns)),
                DatumGetTimestampTz(Column(tuple, kUntil, columns))};
    });
    return found;
}

bool IsRevoked(std::string_view id) {
    bool found = false;
    ScanNow("token_denylist", "token_denylist_pkey", id,
            [&](HeapTuple, TupleDesc) { found = true; });
    return found;
}

ByteView MaterialOf(const KeyRow& row, token::Algorithm algorithm, std::string_view kid) {
    const ByteView stored(reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(row.material)),
                          VARSIZE_ANY_EXHDR(row.material));
    if (algorithm != token::Algorithm::kHs256) return stored;
    const std::string aad = SecretAad(kid);
    return types::OpenSealed(keyring::Keyring::Current(), types::ParseSealed(stored, Kind::kBytea),
                             AsBytes(aad));
}

// The header's algorithm must be the key's; it never chooses.
void CheckSignature(const token::Jws& jws, const KeyRow& row) {
    const auto algorithm = token::AlgorithmNamed(row.algorithm);
    if (!algorithm || jws.algorithm != row.algorithm)
        token::Refuse("It is signed by another algorithm than its key's.");
    const ByteView material = MaterialOf(row, *algorithm, *jws.key_id);
    const token::TokenKey key(*algorithm, material);
    if (!key.Verify(jws.signed_part, jws.signature)) token::Refuse("Its signature is wrong.");
}

std::string Verify(std::string_view text) {
    const token::Jws jws = token::ParseJws(text);
    if (!jws.key_id) token::Refuse("It names no key.");
    KeyRow row{};
    const TimestampTz now = GetCurrentTimestamp();
    if (!Call([&] { return FindKey(*jws.key_id, &row); }) || now < row.since ||
        (row.until != 0 && now >= row.until))
        token::Refuse("Its key is not known.");
    CheckSignature(jws, row);
    const double seconds = static_cast<double>(now) / USECS_PER_SEC +
                           (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * double{SECS_PER_DAY};
    token::CheckClaims(jws.payload,
                       {row.issuer, row.audience, seconds, static_cast<double>(row.leeway)});
    const token::Claims claims = token::ReadClaims(jws.payload);
    if (!claims.id.empty() && Call([&] { return IsRevoked(claims.id); }))
        token::Refuse("It was revoked.");
    return jws.payload_text;
}

}  // namespace

std::string VerifiedClaims(std::string_view token) {
    log_privacy::Touch();
    try {
        return Verify(token);
    } catch (const Error& error) {
        const std::string reason = error.detail();
        if (error.state().view() == errc::kTokenRefused.view()) {
            Call([&] {
                detectors::Finding("token.refused").With("reason", reason.c_str()).Send();
                return true;
            });
        }
        throw;
    }
}

}  // namespace rampart::pg::principal

namespace principal = rampart::pg::principal;

// (algorithm, material): error 22023 for a key that is none.
RAMPART_FUNCTION(rampart_check_token_key) {
    using namespace rampart;
    const auto algorithm = token::AlgorithmNamed(pg::functions::TextArgument(fcinfo, 0));
    if (!algorithm)
        throw Error(errc::kInvalidParameter, "an algorithm is EdDSA, ES256, RS256 or HS256");
    pg::log_privacy::Touch();
    const bytea* material = PG_GETARG_BYTEA_PP(1);
    (void)token::TokenKey(*algorithm, {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(material)),
                                       static_cast<std::size_t>(VARSIZE_ANY_EXHDR(material))});
    PG_RETURN_VOID();
}

// (scope, kid, secret) -> the secret as ciphertext.
RAMPART_FUNCTION(rampart_seal_token_secret) {
    using namespace rampart::pg;
    const bytea* secret = PG_GETARG_BYTEA_PP(2);
    const std::string_view scope_name = functions::TextArgument(fcinfo, 0);
    const std::string_view kid = functions::TextArgument(fcinfo, 1);
    keyring::Keyring& keyring = keyring::Keyring::Current();
    keyring::Scope& scope = keyring.ScopeNamed(scope_name);
    const std::string aad = principal::SecretAad(kid);
    return PointerGetDatum(
        types::NewSealed(keyring, scope, rampart::Mode::kRandomised, rampart::Kind::kBytea,
                         {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(secret)),
                          static_cast<std::size_t>(VARSIZE_ANY_EXHDR(secret))},
                         rampart::AsBytes(aad)));
}
