// Of a column's conversion: the trigger that keeps what others write in both columns while rows are
// being filled, and what must not run with more than the rights of the table's owner.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/as_owner.hpp"
#include "pg/boundary.hpp"
#include "pg/log_privacy.hpp"
#include "pg/rotation/column.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace rampart::pg::functions {
namespace {

const TriggerData& Trigger(FunctionCallInfo fcinfo) {
    const auto* data = reinterpret_cast<const TriggerData*>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(data->tg_event) || TRIGGER_FIRED_BY_DELETE(data->tg_event) ||
        data->tg_trigger->tgnargs != 2) {
        throw Error(errc::kInternal,
                    "fill_column must be called as a BEFORE ROW trigger with two arguments");
    }
    return *data;
}

HeapTuple Filled(const TriggerData& data) {
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(data.tg_event);
    TupleTableSlot* row = is_update ? data.tg_newslot : data.tg_trigslot;
    HeapTuple tuple = is_update ? data.tg_newtuple : data.tg_trigtuple;
    rotation::ColumnTask task{
        data.tg_trigger->tgargs[1], data.tg_trigger->tgargs[0], nullptr, nullptr, {}};
    EState* state = CreateExecutorState();
    rotation::Column column;
    rotation::OpenColumn(&column, &task, data.tg_relation, state);
    const rotation::Refreshed sealed =
        rotation::SealSource(column, row, GetPerTupleExprContext(state));
    int number = column.number;
    Datum value = sealed.value;
    bool null = !sealed.changed;
    tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(data.tg_relation), 1, &number, &value,
                                      &null);
    FreeExecutorState(state);
    return tuple;
}

// A CHECK may call functions of the owner's making.
void ExecuteAsOwner(Oid relation, const char* command) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) throw Error(errc::kUndefinedTable, "the table does not exist");
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    const Caller caller = BecomeOwner(owner);
    SPI_connect();
    SPI_execute(command, false, 0);
    SPI_finish();
    ReturnTo(caller);
}

}  // namespace
}  // namespace rampart::pg::functions

// (relation oid, command text)
RAMPART_FUNCTION(rampart_execute_as_owner) {
    rampart::pg::functions::ExecuteAsOwner(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
    PG_RETURN_VOID();
}

// No right is asked for, because nothing is shown: who may write the table today may go on until
// the columns are swapped. (source column, encrypted column)
RAMPART_FUNCTION(rampart_fill_column) {
    const TriggerData& data = rampart::pg::functions::Trigger(fcinfo);
    rampart::pg::log_privacy::Touch();
    return PointerGetDatum(rampart::pg::functions::Filled(data));
}
