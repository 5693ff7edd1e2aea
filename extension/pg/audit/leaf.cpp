#include "pg/audit/leaf.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "audit/entry.hpp"
#include "error.hpp"
#include "pg/audit/columns.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace rampart::pg::audit {
namespace {

namespace core = rampart::audit;
using core::EntryText;

// In UTF-8, whatever the encoding of the database.
EntryText Utf8(const char* text, std::size_t size) {
    if (GetDatabaseEncoding() == PG_UTF8) return std::string_view(text, size);
    const char* converted = pg_server_to_any(text, static_cast<int>(size), PG_UTF8);
    return std::string_view(converted, converted == text ? size : std::strlen(converted));
}

EntryText FromText(Datum value) {
    const text* string = DatumGetTextPP(value);
    return Utf8(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

EntryText FromName(Datum value) {
    const char* name = NameStr(*DatumGetName(value));
    return Utf8(name, std::strlen(name));
}

EntryText FromInet(Datum value) {
    const char* address = DatumGetCString(DirectFunctionCall1(inet_out, value));
    return std::string_view(address);
}

EntryText FromJson(Datum value) {
    Jsonb* json = DatumGetJsonbP(value);
    StringInfoData text;
    initStringInfo(&text);
    JsonbToCString(&text, &json->root, static_cast<int>(VARSIZE(json)));
    return Utf8(text.data, static_cast<std::size_t>(text.len));
}

using Reader = EntryText (*)(Datum);

constexpr struct {
    Column column;
    EntryText core::Entry::*member;
    Reader read;
} kHeader[] = {
    {kEvent, &core::Entry::event, FromText},
    {kClass, &core::Entry::log_class, FromText},
    {kSeverity, &core::Entry::severity, FromText},
    {kActor, &core::Entry::actor, FromText},
    {kOrg, &core::Entry::org, FromText},
    {kIp, &core::Entry::ip, FromInet},
    {kUserAgent, &core::Entry::user_agent, FromText},
    {kRequestId, &core::Entry::request_id, FromText},
    {kRole, &core::Entry::role, FromName},
    {kSessionRole, &core::Entry::session_role, FromName},
    {kApplication, &core::Entry::application, FromText},
    {kClient, &core::Entry::client, FromInet},
    {kRelation, &core::Entry::relation, FromText},
    {kOperation, &core::Entry::operation, FromText},
};

constexpr EntryText core::Payload::*kPayload[] = {&core::Payload::key, &core::Payload::old_values,
                                                  &core::Payload::new_values,
                                                  &core::Payload::metadata};

// Of another size it was tampered with, and leads to another leaf like any other change.
template <std::size_t kSize>
std::array<std::uint8_t, kSize> Exactly(Datum value) {
    const bytea* bytes = DatumGetByteaPP(value);
    std::array<std::uint8_t, kSize> result{};
    if (VARSIZE_ANY_EXHDR(bytes) == kSize)
        std::copy_n(reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)), kSize,
                    result.begin());
    return result;
}

// The values in the order of kPayload.
std::optional<core::Hash> PayloadHash(const NullableDatum& salt, const NullableDatum* values) {
    core::Payload payload;
    for (const auto member : kPayload) {
        if (!values->isnull) payload.*member = FromJson(values->value);
        ++values;
    }
    std::array<std::uint8_t, core::kSaltSize> bytes{};
    if (!salt.isnull) bytes = Exactly<core::kSaltSize>(salt.value);
    return core::HashPayload(bytes, payload);
}

NullableDatum Get(const TupleTableSlot* slot, Column column) {
    return {slot->tts_values[column], slot->tts_isnull[column]};
}

std::optional<core::Hash> PayloadHash(const TupleTableSlot* slot) {
    const NullableDatum erased = Get(slot, kErased);
    if (!erased.isnull) return Exactly<std::tuple_size_v<core::Hash>>(erased.value);
    const NullableDatum values[] = {Get(slot, kKey), Get(slot, kOld), Get(slot, kNew),
                                    Get(slot, kMetadata)};
    return PayloadHash(Get(slot, kSalt), values);
}

}  // namespace

core::Hash LeafOf(TupleTableSlot* slot) {
    slot_getallattrs(slot);
    core::Entry entry;
    entry.id = DatumGetInt64(slot->tts_values[kId]);
    entry.at = DatumGetTimestampTz(slot->tts_values[kAt]);
    entry.xid = U64FromFullTransactionId(DatumGetFullTransactionId(slot->tts_values[kXid]));
    entry.lineage = static_cast<std::uint64_t>(DatumGetInt64(slot->tts_values[kLineage]));
    for (const auto& [column, member, read] : kHeader) {
        if (!slot->tts_isnull[column]) entry.*member = read(slot->tts_values[column]);
    }
    entry.payload_hash = PayloadHash(slot);
    return core::LeafHash(entry);
}

}  // namespace rampart::pg::audit

// (salt bytea, key jsonb, old jsonb, new jsonb, metadata jsonb) -> bytea
RAMPART_FUNCTION(rampart_payload_hash) {
    const auto hash = rampart::pg::audit::PayloadHash(fcinfo->args[0], fcinfo->args + 1);
    if (!hash) PG_RETURN_NULL();
    return rampart::pg::functions::Text(rampart::AsText(*hash));
}
