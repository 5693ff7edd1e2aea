#include "pg/types/compare.hpp"

#include "error.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "postmaster/autovacuum.h"
#include "replication/logicalworker.h"
#include "tcop/pquery.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/portal.h"
}

namespace rampart::pg::types {
namespace {

using keyring::Key;
using keyring::Keyring;

TimestampTz unseen_statement = 0;
TimestampTz analyzing_statement = 0;

void RequireDeterministic(const Identity& identity) {
    if (identity.form != Form::kRandomised || ComparesCiphertexts()) return;
    throw Error(
        errc::kNotComparable, "randomised values cannot be compared", "",
        "Declare the column deterministic, or cast it to its plain type: col::text = '...'.");
}

// The key of a value that is only compared may be unknown: a dump's keys come after its data, and
// an index remembers rows of a transaction that made a key and was rolled back. IVs of two scopes
// never agree, so nothing is answered wrongly then.
const Key* KnownKey(Keyring& keyring, std::uint64_t key_id) {
    return ComparesCiphertexts() ? nullptr : keyring.FindKey(key_id);
}

void RequireOneScope(Site& site, std::uint64_t key_id) {
    if (key_id == site.seen_key_id) return;
    const Key* key = KnownKey(Keyring::Current(), key_id);
    if (key == nullptr) return;
    const std::uint64_t index_key = key->scope->index == nullptr ? 0 : key->scope->index->id;
    if (site.seen_key_id != 0 && index_key != site.seen_index_key) {
        throw Error(errc::kScopesDiffer, "values of different scopes cannot be compared", "",
                    "Cast them to their plain type.");
    }
    site.seen_key_id = key_id;
    site.seen_index_key = index_key;
}

// The last two keys found to be of one scope: the descent of an index compares one token with many
// values.
struct AgreedPair {
    std::uint64_t generation;
    std::uint64_t left;
    std::uint64_t right;
    friend bool operator==(const AgreedPair&, const AgreedPair&) = default;
};
AgreedPair agreed{};

void RequireSameScope(const Identity& a, const Identity& b) {
    if (a.key_id == b.key_id) return;
    const AgreedPair pair{Keyring::generation(), a.key_id, b.key_id};
    if (pair == agreed) return;
    Keyring& keyring = Keyring::Current();
    const Key* left = KnownKey(keyring, a.key_id);
    const Key* right = KnownKey(keyring, b.key_id);
    if (left == nullptr || right == nullptr) return;
    if (left->scope == right->scope) {
        agreed = pair;
        return;
    }
    throw Error(errc::kScopesDiffer,
                "values of scopes \"" + left->scope->name + "\" and \"" + right->scope->name +
                    "\" cannot be compared",
                "", "Cast both to their plain type.");
}

// Gives a held value the IV it has in the other value's scope.
void GiveIv(FmgrInfo* function, Identity* held, const Identity& other) {
    Keyring& keyring = Keyring::Current();
    Site& site = SiteOf(function);
    keyring::Scope& scope = ScopeOf(keyring, other);
    // Asked each time: a call site may outlive the right it was first used with.
    keyring::RequireRight(scope, keyring::kEncryptOrDecrypt);
    const std::uint64_t index_key = scope.index == nullptr ? 0 : scope.index->id;
    const bool known = site.token_index_key == index_key && index_key != 0 &&
                       site.held_size == held->held.size() &&
                       std::memcmp(site.held, held->held.data(), site.held_size) == 0;
    if (!known) {
        const Identity token = Identify(
            DetoastedBytes(PointerGetDatum(TokenFor(keyring, scope, held->kind, held->held))));
        // A call site can live as long as an index's relcache entry: one copy, not one a literal.
        if (site.held != nullptr) pfree(site.held);
        site.held = static_cast<std::uint8_t*>(
            MemoryContextAlloc(function->fn_mcxt, held->held.size() + 1));
        std::memcpy(site.held, held->held.data(), held->held.size());
        std::memcpy(site.iv, token.iv, Aead::kIvSize);
        site.held_size = held->held.size();
        site.token_index_key = index_key;
    }
    held->form = Form::kToken;
    held->key_id = other.key_id;
    held->iv = site.iv;
}

}  // namespace

Site& SiteOf(FmgrInfo* function) {
    if (function->fn_extra == nullptr)
        function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(Site));
    auto& site = *static_cast<Site*>(function->fn_extra);
    const TimestampTz statement = GetCurrentStatementStartTimestamp();
    if (site.generation != Keyring::generation() || site.statement != statement) {
        site.seen_key_id = site.token_index_key = 0;
        site.generation = Keyring::generation();
        site.statement = statement;
    }
    return site;
}

bool ComparesCiphertexts() {
    return IsAutoVacuumWorkerProcess() || IsLogicalWorker() ||
           (analyzing_statement != 0 && analyzing_statement == GetCurrentStatementStartTimestamp());
}

bool Resolve(FunctionCallInfo fcinfo, Identity* a, Identity* b) {
    RequireDeterministicCollation(PG_GET_COLLATION());
    RequireDeterministic(*a);
    RequireDeterministic(*b);
    if (!a->has_iv() && !b->has_iv()) return false;
    if (!a->has_iv()) GiveIv(fcinfo->flinfo, a, *b);
    if (!b->has_iv()) GiveIv(fcinfo->flinfo, b, *a);
    RequireSameScope(*a, *b);
    return true;
}

Identity IdentityToCompare(Datum value) {
    const ByteView bytes = BeginningOf(value);
    Identity identity;
    if (!ReadIdentity(bytes, &identity)) {
        static constexpr std::uint8_t kNoIv[Aead::kIvSize] = {};
        if (!ComparesCiphertexts()) return Identify(bytes);
        identity = {Form::kDeterministic, Kind::kBytea, 0, kNoIv, {}};
    }
    return identity;
}

Identity WithIv(Datum value, Site& site) {
    Identity identity = IdentityToCompare(value);
    RequireDeterministic(identity);
    if (!identity.has_iv()) ThrowUndetermined();
    RequireOneScope(site, identity.key_id);
    return identity;
}

void RequireDeterministicCollation(Oid collation) {
    if (collation == DEFAULT_COLLATION_OID || !OidIsValid(collation)) return;
    if (get_collation_isdeterministic(collation) || ComparesCiphertexts()) return;
    throw Error(errc::kNotComparable,
                "encrypted values cannot be compared under a nondeterministic collation", "",
                "Cast the column to text.");
}

void ThrowUndetermined() {
    throw Error(
        errc::kScopeUndetermined, "the scope of an encrypted literal is not known here", "",
        "Give it its column's type: 'x'::enc_text(scope, deterministic); or cast both sides "
        "to the plain type.");
}

void NoteAnalyzing() { analyzing_statement = GetCurrentStatementStartTimestamp(); }

void NoteLoaded() {
    unseen_statement = GetCurrentStatementStartTimestamp();
    ResetPlanCache();
}

void NoteSeen() { unseen_statement = 0; }

namespace {

// Statements that open indexes and plan nothing.
bool PlansNothing(CommandTag tag) {
    switch (tag) {
        case CMDTAG_ALTER_TABLE:
        case CMDTAG_ANALYZE:
        case CMDTAG_CLUSTER:
        case CMDTAG_CREATE_INDEX:
        case CMDTAG_CREATE_TABLE:
        case CMDTAG_REINDEX:
        case CMDTAG_VACUUM:
            return true;
        default:
            return false;
    }
}

}  // namespace

void RequirePlannedWithUs() {
    if (unseen_statement == 0 || unseen_statement != GetCurrentStatementStartTimestamp()) return;
    if (MyBackendType != B_BACKEND) return;
    if (ActivePortal != nullptr && PlansNothing(ActivePortal->commandTag)) return;
    throw Error(errc::kLoadedTooLate,
                "this statement was planned before the library rampart was loaded", "",
                "Run it again; to have the library loaded from the start, add rampart to "
                "shared_preload_libraries or session_preload_libraries.");
}

}  // namespace rampart::pg::types
