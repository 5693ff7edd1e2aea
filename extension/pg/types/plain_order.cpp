// `<`, `<=`, `>`, `>=`: the order of the plaintexts, by decrypting.
#include "pg/types/compare.hpp"

#include "pg/boundary.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "catalog/pg_collation.h"
}

namespace rampart::pg::types {

int PlainOrder(FunctionCallInfo fcinfo) {
    const Datum a = PG_GETARG_DATUM(0);
    const Kind kind = IdentifyDatum(a).kind;
    const Oid collation =
        OidIsValid(PG_GET_COLLATION()) ? PG_GET_COLLATION() : DEFAULT_COLLATION_OID;
    return DatumGetInt32(DirectFunctionCall2Coll(InfoOf(kind).compare, collation, ToPlain(kind, a),
                                                 ToPlain(kind, PG_GETARG_DATUM(1))));
}

}  // namespace rampart::pg::types

namespace types = rampart::pg::types;

RAMPART_FUNCTION(rampart_lt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) < 0); }
RAMPART_FUNCTION(rampart_le) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) <= 0); }
RAMPART_FUNCTION(rampart_gt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) > 0); }
RAMPART_FUNCTION(rampart_ge) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) >= 0); }
RAMPART_FUNCTION(rampart_plain_compare) { PG_RETURN_INT32(types::PlainOrder(fcinfo)); }
