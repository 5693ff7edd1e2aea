// Checkpoints in SQL: signed with the log's key, which the root key wraps, and read again.
#include <string>
#include <vector>

#include "pg/postgres.hpp"

#include "audit/checkpoint.hpp"
#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace rampart::pg::audit {
namespace {

namespace core = rampart::audit;

// (key_id int8, version int4, wrapped bytea, root_key int8), from argument `first` on. Errors
// RMK02, RMK05, RMK06.
Ed25519Key SigningKey(FunctionCallInfo fcinfo, int first) {
    const KeyIdentity identity{static_cast<std::uint64_t>(PG_GETARG_INT64(first)),
                               static_cast<std::uint32_t>(PG_GETARG_INT32(first + 1)),
                               KeyPurpose::kSigning, ""};
    const RootKey& root =
        keyring::RootKeyFor(static_cast<std::uint64_t>(PG_GETARG_INT64(first + 3)));
    const auto seed = root.Unwrap(identity, types::DetoastedBytes(PG_GETARG_DATUM(first + 2)));
    if (!seed) {
        throw Error(errc::kUnknownKey, "the audit log's signing key is damaged",
                    "Its wrapped form was altered in rampart.key.",
                    "Restore the row from a backup of this database.");
    }
    return Ed25519Key(*seed);
}

struct Elements {
    Datum* values;
    int count;
};

// NULLs are left out.
Elements ElementsOf(Datum array, Oid type, int16 length, bool by_value, char alignment) {
    Elements elements{};
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(array), type, length, by_value, alignment,
                      &elements.values, &nulls, &count);
    for (int i = 0; i < count; ++i) {
        if (!nulls[i]) elements.values[elements.count++] = elements.values[i];
    }
    return elements;
}
Elements Texts(Datum array) { return ElementsOf(array, TEXTOID, -1, false, TYPALIGN_INT); }

core::TreeHead HeadOf(Datum size, Datum root) {
    const ByteView bytes = types::DetoastedBytes(root);
    core::TreeHead head;
    if (DatumGetInt64(size) < 0 || bytes.size() != head.root.size())
        throw Error(errc::kInvalidParameter, "not the head of a tree");
    head.size = static_cast<std::uint64_t>(DatumGetInt64(size));
    std::copy(bytes.begin(), bytes.end(), head.root.begin());
    return head;
}

std::string_view View(Datum text) { return AsText(types::DetoastedBytes(text)); }

// The dash that begins a signature has no place in most encodings but UTF-8. A database of another
// one has two hyphens in its place, and whoever takes a checkpoint from there puts it back.
constexpr std::string_view kDash = "\n\xe2\x80\x94 ";
constexpr std::string_view kHyphens = "\n-- ";

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
    if (GetDatabaseEncoding() == PG_UTF8) return text;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

// (origin text, classes text[], sizes int8[], roots bytea[], a signing key) -> text
Datum Sign(FunctionCallInfo fcinfo) {
    const Elements classes = Texts(PG_GETARG_DATUM(1));
    const Elements sizes = ElementsOf(PG_GETARG_DATUM(2), INT8OID, sizeof(std::int64_t),
                                      FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
    const Elements roots = ElementsOf(PG_GETARG_DATUM(3), BYTEAOID, -1, false, TYPALIGN_INT);
    if (classes.count != sizes.count || classes.count != roots.count)
        throw Error(errc::kInvalidParameter, "not as many sizes and roots as classes");
    core::Checkpoint checkpoint;
    checkpoint.origin = functions::TextArgument(fcinfo, 0);
    for (int i = 0; i < classes.count; ++i) {
        const core::TreeHead head = HeadOf(sizes.values[i], roots.values[i]);
        const std::string_view name = View(classes.values[i]);
        if (name == core::kSecurityClass) {
            checkpoint.security = head;
        } else {
            checkpoint.others.emplace(name, head);
        }
    }
    const std::string note =
        Replaced(core::SignCheckpoint(checkpoint, SigningKey(fcinfo, 4)), kDash, kHyphens);
    return Call([&] { return functions::Text(note); });
}

// (origin text, a signing key) -> text
Datum Verifier(FunctionCallInfo fcinfo) {
    const Ed25519Key key = SigningKey(fcinfo, 1);
    const auto verifier =
        core::NoteVerifier::Make(functions::TextArgument(fcinfo, 0), key.public_key());
    if (!verifier)
        throw Error(errc::kInvalidParameter, "not a name for a log", "",
                    "UTF-8 without white space, control characters and +.");
    const std::string text = verifier->Text();
    return Call([&] { return functions::Text(text); });
}

void PutHead(FunctionCallInfo fcinfo, std::string_view log_class, const core::TreeHead& head) {
    Call([&] {
        auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        Datum values[] = {functions::Text(log_class),
                          Int64GetDatum(static_cast<std::int64_t>(head.size)),
                          functions::Text(AsText(head.root))};
        bool nulls[] = {false, false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
        return true;
    });
}

// (note text, origin text, verifiers text[]) -> (class text, size int8, root bytea), a row a class.
// No row: not a checkpoint of this log, or not signed by one of its keys.
void Open(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    const Elements texts = Texts(PG_GETARG_DATUM(2));
    std::vector<core::NoteVerifier> trusted;
    for (int i = 0; i < texts.count; ++i) {
        if (const auto verifier = core::NoteVerifier::Parse(View(texts.values[i])))
            trusted.push_back(*verifier);
    }
    const std::string note =
        Replaced(std::string(functions::TextArgument(fcinfo, 0)), kHyphens, kDash);
    const auto checkpoint = core::OpenCheckpoint(note, functions::TextArgument(fcinfo, 1), trusted);
    if (!checkpoint) return;
    PutHead(fcinfo, core::kSecurityClass, checkpoint->security);
    for (const auto& [log_class, head] : checkpoint->others) PutHead(fcinfo, log_class, head);
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_sign_checkpoint) { return rampart::pg::audit::Sign(fcinfo); }
RAMPART_FUNCTION(rampart_log_verifier) { return rampart::pg::audit::Verifier(fcinfo); }
RAMPART_FUNCTION(rampart_open_checkpoint) {
    rampart::pg::audit::Open(fcinfo);
    return Datum{0};
}
