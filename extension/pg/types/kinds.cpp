#include <cstring>

#include "pg/types/kinds.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

namespace rampart::pg::types {
namespace {

constexpr KindInfo kKinds[] = {
    {Kind::kText, "enc_text", TEXTOID, true, textin, textout, textrecv, textsend, bttextcmp, 0},
    {Kind::kBytea, "enc_bytea", BYTEAOID, true, byteain, byteaout, bytearecv, byteasend, byteacmp,
     0},
    {Kind::kJsonb, "enc_jsonb", JSONBOID, false, jsonb_in, jsonb_out, jsonb_recv, jsonb_send,
     jsonb_cmp, 0},
    {Kind::kNumeric, "enc_numeric", NUMERICOID, false, numeric_in, numeric_out, numeric_recv,
     numeric_send, numeric_cmp, 0},
    {Kind::kInt8, "enc_int8", INT8OID, true, int8in, int8out, int8recv, int8send, btint8cmp, 8},
    {Kind::kDate, "enc_date", DATEOID, true, date_in, date_out, date_recv, date_send, date_cmp, 4},
    {Kind::kTimestamptz, "enc_timestamptz", TIMESTAMPTZOID, true, timestamptz_in, timestamptz_out,
     timestamptz_recv, timestamptz_send, timestamp_cmp, 8},
    {Kind::kUuid, "enc_uuid", UUIDOID, true, uuid_in, uuid_out, uuid_recv, uuid_send, uuid_cmp, 16},
    {Kind::kBool, "enc_bool", BOOLOID, false, boolin, boolout, boolrecv, boolsend, btboolcmp, 1},
};

[[noreturn]] void ThrowNotOfKind(const KindInfo& info) {
    throw Error(
        errc::kMalformedCiphertext,
        std::string("decrypted bytes are not a value of kind ") + std::string(KindName(info.kind)));
}

// Text is UTF-8 in every ciphertext, whatever the database's encoding.
ByteView ToUtf8(const char* text, int length) {
    auto* converted = reinterpret_cast<char*>(
        pg_do_encoding_conversion(reinterpret_cast<unsigned char*>(const_cast<char*>(text)), length,
                                  GetDatabaseEncoding(), PG_UTF8));
    if (converted == text) return AsBytes({text, static_cast<std::size_t>(length)});
    return AsBytes(converted);
}

// NUL-terminated, in the database's encoding.
char* FromUtf8(ByteView plaintext) {
    char* text = static_cast<char*>(palloc(plaintext.size() + 1));
    std::memcpy(text, plaintext.data(), plaintext.size());
    text[plaintext.size()] = '\0';
    if (GetDatabaseEncoding() == PG_UTF8) return text;
    return pg_any_to_server(text, static_cast<int>(plaintext.size()), PG_UTF8);
}

template <typename Function>
Datum WithoutQuoting(const KindInfo& info, Function&& parse) {
    try {
        return Call(parse);
    } catch (const ServerError& error) {
        if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) != ERRCODE_DATA_EXCEPTION) throw;
        SqlState state{};
        std::memcpy(state.code, unpack_sql_state(error.data->sqlerrcode), sizeof state.code);
        FreeErrorData(error.data);
        throw Error(state, std::string("invalid input for type ") + info.encrypted_type,
                    "The value is not shown because its type is encrypted.");
    }
}

}  // namespace

std::span<const KindInfo> AllKinds() { return kKinds; }

const KindInfo& InfoOf(Kind kind) { return kKinds[static_cast<std::uint8_t>(kind) - 1]; }

ByteView Encode(const KindInfo& info, Datum value, Scratch* scratch) {
    switch (info.kind) {
        case Kind::kText: {
            auto* string = DatumGetTextPP(value);
            return ToUtf8(VARDATA_ANY(string), static_cast<int>(VARSIZE_ANY_EXHDR(string)));
        }
        case Kind::kBytea: {
            auto* bytes = DatumGetByteaPP(value);
            return AsBytes({VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)});
        }
        case Kind::kJsonb:
        case Kind::kNumeric: {
            const char* text = PrintPlain(info, value);
            return ToUtf8(text, static_cast<int>(std::strlen(text)));
        }
        case Kind::kInt8:
        case Kind::kTimestamptz:
            StoreBigEndian(static_cast<std::uint64_t>(DatumGetInt64(value)), scratch->bytes);
            break;
        case Kind::kDate:
            StoreBigEndian(static_cast<std::uint32_t>(DatumGetDateADT(value)), scratch->bytes);
            break;
        case Kind::kUuid:
            std::memcpy(scratch->bytes, DatumGetUUIDP(value)->data, UUID_LEN);
            break;
        case Kind::kBool:
            scratch->bytes[0] = DatumGetBool(value) ? 1 : 0;
            break;
    }
    return {scratch->bytes, info.fixed_size};
}

Datum Decode(const KindInfo& info, ByteView plaintext) {
    if (info.fixed_size != 0 && plaintext.size() != info.fixed_size) ThrowNotOfKind(info);
    switch (info.kind) {
        case Kind::kText:
            if (GetDatabaseEncoding() != PG_UTF8)
                return PointerGetDatum(cstring_to_text(FromUtf8(plaintext)));
            [[fallthrough]];
        case Kind::kBytea:
            return PointerGetDatum(
                cstring_to_text_with_len(reinterpret_cast<const char*>(plaintext.data()),
                                         static_cast<int>(plaintext.size())));
        case Kind::kJsonb:
        case Kind::kNumeric:
            return ParsePlain(info, FromUtf8(plaintext));
        case Kind::kInt8:
        case Kind::kTimestamptz:
            return Int64GetDatum(LoadBigEndian<std::int64_t>(plaintext.data()));
        case Kind::kDate:
            return DateADTGetDatum(LoadBigEndian<std::int32_t>(plaintext.data()));
        case Kind::kUuid: {
            auto* uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
            std::memcpy(uuid->data, plaintext.data(), UUID_LEN);
            return UUIDPGetDatum(uuid);
        }
        case Kind::kBool:
            return BoolGetDatum(plaintext[0] != 0);
    }
    ThrowNotOfKind(info);
}

bool StoresPlaintextAsIs(const KindInfo& info) {
    return info.kind == Kind::kBytea ||
           (info.kind == Kind::kText && GetDatabaseEncoding() == PG_UTF8);
}

Datum ParsePlain(const KindInfo& info, char* text) {
    return WithoutQuoting(info, [&] {
        return DirectFunctionCall3(info.in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
                                   Int32GetDatum(-1));
    });
}

Datum ReceivePlain(const KindInfo& info, StringInfoData* buffer) {
    return WithoutQuoting(info, [&] {
        return DirectFunctionCall3(info.recv, PointerGetDatum(buffer), ObjectIdGetDatum(InvalidOid),
                                   Int32GetDatum(-1));
    });
}

char* PrintPlain(const KindInfo& info, Datum value) {
    return DatumGetCString(DirectFunctionCall1(info.out, value));
}

}  // namespace rampart::pg::types
