#include "pg/functions/arguments.hpp"

#include "error.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
}

namespace rampart::pg::functions {

Datum Text(std::string_view view) {
    return PointerGetDatum(cstring_to_text_with_len(view.data(), static_cast<int>(view.size())));
}

std::string_view TextArgument(FunctionCallInfo fcinfo, int number) {
    const text* value = PG_GETARG_TEXT_PP(number);
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

Datum Record(FunctionCallInfo fcinfo, Datum* values, bool* nulls) {
    TupleDesc descriptor = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        throw Error(errc::kInternal, "function must return a record");
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

KeyPurpose PurposeNamed(std::string_view name) {
    if (name == "data") return KeyPurpose::kData;
    if (name == "index") return KeyPurpose::kIndex;
    if (name == "signing") return KeyPurpose::kSigning;
    if (name == "token") return KeyPurpose::kToken;
    throw Error(errc::kInvalidParameter, "purpose of a key is data, index, signing or token");
}

}  // namespace rampart::pg::functions
