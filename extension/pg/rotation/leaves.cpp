#include "pg/postgres.hpp"

#include "pg/rotation/leaves.hpp"

#include "pg/catalog.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace rampart::pg::rotation {
namespace {

Refreshed VisitArray(Oid element, Datum value, Visitor visitor, void* context) {
    ArrayType* array = DatumGetArrayTypeP(value);
    int16 length = 0;
    bool by_value = false;
    char alignment = 0;
    get_typlenbyvalalign(element, &length, &by_value, &alignment);
    Datum* values = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(array, element, length, by_value, alignment, &values, &nulls, &count);
    bool changed = false;
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        const Refreshed refreshed = VisitLeaves(element, values[i], visitor, context);
        values[i] = refreshed.value;
        changed |= refreshed.changed;
    }
    if (!changed) return {value, false};
    return {PointerGetDatum(construct_md_array(values, nulls, ARR_NDIM(array), ARR_DIMS(array),
                                               ARR_LBOUND(array), element, length, by_value,
                                               alignment)),
            true};
}

Refreshed VisitRow(Datum value, Visitor visitor, void* context) {
    HeapTupleHeader header = DatumGetHeapTupleHeader(value);
    TupleDesc descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header),
                                                       HeapTupleHeaderGetTypMod(header));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    const auto columns = static_cast<std::size_t>(descriptor->natts);
    auto* values = static_cast<Datum*>(palloc(columns * sizeof(Datum)));
    auto* nulls = static_cast<bool*>(palloc(columns * sizeof(bool)));
    heap_deform_tuple(&tuple, descriptor, values, nulls);
    bool changed = false;
    for (std::size_t i = 0; i < columns; ++i) {
        const FormData_pg_attribute* column = TupleDescAttr(descriptor, i);
        if (nulls[i] || column->attisdropped) continue;
        const Refreshed refreshed = VisitLeaves(column->atttypid, values[i], visitor, context);
        values[i] = refreshed.value;
        changed |= refreshed.changed;
    }
    if (!changed) return {value, false};
    return {HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)), true};
}

}  // namespace

Refreshed VisitLeaves(Oid type, Datum value, Visitor visitor, void* context) {
    if (Catalog::Current().FindType(type) != nullptr) return visitor(context, value);
    const Oid base = getBaseType(type);
    if (base != type) return VisitLeaves(base, value, visitor, context);
    const Oid element = get_element_type(type);
    if (OidIsValid(element)) return VisitArray(element, value, visitor, context);
    if (type_is_rowtype(type)) return VisitRow(value, visitor, context);
    return {value, false};
}

}  // namespace rampart::pg::rotation
