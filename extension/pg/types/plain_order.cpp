// `<`, `<=`, `>`, `>=`, GREATEST and LEAST: the order of the plaintexts, by decrypting.
#include "pg/postgres.hpp"

#include "pg/boundary.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace rampart::pg::types {
namespace {

int PlainOrder(Datum a, Datum b, Oid collation) {
    const Kind kind = IdentifyDatum(a).kind;
    return DatumGetInt32(DirectFunctionCall2Coll(
        InfoOf(kind).compare, OidIsValid(collation) ? collation : DEFAULT_COLLATION_OID,
        ToPlain(kind, a), ToPlain(kind, b)));
}

int PlainOrder(FunctionCallInfo fcinfo) {
    return PlainOrder(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GET_COLLATION());
}

// The element of an array whose plaintext is greatest (sign 1) or least (-1), itself; NULLs do not
// count.
Datum Extreme(FunctionCallInfo fcinfo, int sign) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls,
                      &count);
    int best = -1;
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        if (best < 0 || sign * PlainOrder(elements[i], elements[best], PG_GET_COLLATION()) > 0)
            best = i;
    }
    if (best < 0) PG_RETURN_NULL();
    return elements[best];
}

}  // namespace
}  // namespace rampart::pg::types

namespace types = rampart::pg::types;

RAMPART_FUNCTION(rampart_lt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) < 0); }
RAMPART_FUNCTION(rampart_le) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) <= 0); }
RAMPART_FUNCTION(rampart_gt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) > 0); }
RAMPART_FUNCTION(rampart_ge) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) >= 0); }

RAMPART_FUNCTION(rampart_plain_compare) { PG_RETURN_INT32(types::PlainOrder(fcinfo)); }
RAMPART_FUNCTION(rampart_largest) { return types::Extreme(fcinfo, 1); }
RAMPART_FUNCTION(rampart_smallest) { return types::Extreme(fcinfo, -1); }
