// SQL functions with their owner's rights that know who called them. SECURITY DEFINER takes the
// caller's place: what runs in it sees its owner as the current user, and beyond that only who
// logged in, whose rights a trap set for a superuser would borrow. A function declared with
// rampart_on_behalf calls, as its owner, the function of its name and "_for": the same arguments
// behind the caller's number. Only its owner may execute that one, so the number is never a lie.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/as_owner.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace rampart::pg {
namespace {

// In memory of the caller's.
struct Target {
    Oid owner;
    bool reads_only;
    const char* query;
    int count;
    Oid* types;
    Datum* values;
    char* nulls;
};

const char* QueryFor(const char* name, int count) {
    StringInfoData query;
    initStringInfo(&query);
    appendStringInfo(&query, "SELECT * FROM rampart.%s($1",
                     quote_identifier(psprintf("%s_for", name)));
    for (int i = 2; i <= count; ++i) appendStringInfo(&query, ", $%d", i);
    appendStringInfoChar(&query, ')');
    return query.data;
}

Target TargetOf(FunctionCallInfo fcinfo) {
    const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
    if (!HeapTupleIsValid(tuple))
        throw Error(errc::kInternal, "a function without its declaration");
    auto* function = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const int count = fcinfo->nargs + 1;
    Target target{function->proowner,
                  function->provolatile != PROVOLATILE_VOLATILE,
                  QueryFor(NameStr(function->proname), count),
                  count,
                  static_cast<Oid*>(palloc(sizeof(Oid) * count)),
                  static_cast<Datum*>(palloc(sizeof(Datum) * count)),
                  static_cast<char*>(palloc(count))};
    target.types[0] = OIDOID;
    target.values[0] = ObjectIdGetDatum(GetUserId());
    target.nulls[0] = ' ';
    for (int i = 0; i < fcinfo->nargs; ++i) {
        target.types[i + 1] = function->proargtypes.values[i];
        target.values[i + 1] = fcinfo->args[i].value;
        target.nulls[i + 1] = fcinfo->args[i].isnull ? 'n' : ' ';
    }
    ReleaseSysCache(tuple);
    return target;
}

void KeepRows(const ReturnSetInfo* result) {
    for (std::uint64_t i = 0; i < SPI_processed; ++i)
        tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

Datum KeepValue(FunctionCallInfo fcinfo) {
    if (SPI_processed != 1) throw Error(errc::kInternal, "one row was expected");
    bool null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    fcinfo->isnull = null;
    if (null) return Datum{0};
    std::int16_t length = 0;
    bool by_value = false;
    get_typlenbyval(SPI_gettypeid(SPI_tuptable->tupdesc, 1), &length, &by_value);
    return SPI_datumTransfer(value, by_value, length);
}

Datum OnBehalf(FunctionCallInfo fcinfo) {
    const bool rows = fcinfo->flinfo->fn_retset;
    const Target target = TargetOf(fcinfo);
    if (rows) InitMaterializedSRF(fcinfo, 0);
    const Caller caller = BecomeOwner(target.owner);
    SPI_connect();
    const int done = SPI_execute_with_args(target.query, target.count, target.types, target.values,
                                           target.nulls, target.reads_only, 0);
    if (done != SPI_OK_SELECT) throw Error(errc::kInternal, SPI_result_code_string(done));
    Datum value{0};
    if (rows) {
        KeepRows(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
    } else {
        value = KeepValue(fcinfo);
    }
    SPI_finish();
    ReturnTo(caller);
    return value;
}

}  // namespace
}  // namespace rampart::pg

RAMPART_FUNCTION(rampart_on_behalf) { return rampart::pg::OnBehalf(fcinfo); }
