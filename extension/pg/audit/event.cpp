// Entries that no row trigger makes: that auditing of a table began, ended or was cut off.
#include "pg/audit/log.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
}

namespace rampart::pg::audit {
namespace {

char* TextOrNull(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

// (event, severity, relation name, relation OID, operation, metadata), of class security. In the
// name of the role that the session acts as: what calls this is SECURITY DEFINER.
void WriteEvent(FunctionCallInfo fcinfo) {
    PreventCommandIfReadOnly("an audit event");
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        throw Error(errc::kInvalidParameter, "an audit event needs a name and a severity");
    Entry entry{};
    entry.event = TextOrNull(fcinfo, 0);
    entry.severity = TextOrNull(fcinfo, 1);
    entry.entry_class = Class::kSecurity;
    entry.role = GetOuterUserId();
    entry.relation = TextOrNull(fcinfo, 2);
    entry.relation_id = PG_ARGISNULL(3) ? InvalidOid : PG_GETARG_OID(3);
    entry.operation = TextOrNull(fcinfo, 4);
    entry.metadata = PG_ARGISNULL(5) ? nullptr : PG_GETARG_JSONB_P(5);
    Write(entry);
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_write_event) {
    rampart::pg::audit::WriteEvent(fcinfo);
    PG_RETURN_VOID();
}
