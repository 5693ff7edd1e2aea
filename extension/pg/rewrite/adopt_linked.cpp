// PostgreSQL refuses to change the type of one end of a foreign key. Encrypting a column that
// others refer to is therefore carried out by rampart.adopt_column, which changes all of them in
// one step.
#include "pg/rewrite/utility.hpp"

#include "pg/catalog.hpp"
#include "error.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::rewrite {
namespace {

// The only command of the statement, if it is a plain change of type.
const AlterTableCmd* OnlyTypeChange(const AlterTableStmt* statement) {
    if (list_length(statement->cmds) != 1 || statement->objtype != OBJECT_TABLE) return nullptr;
    const auto* command = linitial_node(AlterTableCmd, statement->cmds);
    if (command->subtype != AT_AlterColumnType) return nullptr;
    const auto* column = castNode(ColumnDef, command->def);
    return column->raw_default == nullptr && column->collClause == nullptr ? command : nullptr;
}

// The encrypted type's name with its modifier, or nullptr for another type.
const char* EncryptedTypeName(const TypeName* name) {
    std::int32_t typmod = -1;
    Oid type = InvalidOid;
    if (name->setof || name->arrayBounds != NIL ||
        LookupTypeNameOid(nullptr, name, true) == InvalidOid)
        return nullptr;
    typenameTypeIdAndMod(nullptr, name, &type, &typmod);
    if (Catalog::Current().FindType(type) == nullptr || typmod < 0) return nullptr;
    return format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN);
}

bool RunQuery(const char* sql, Oid relation, const char* column, const char* type, bool* found) {
    Oid types[] = {REGCLASSOID, NAMEOID, TEXTOID};
    NameData name;
    namestrcpy(&name, column);
    Datum values[] = {ObjectIdGetDatum(relation), NameGetDatum(&name), CStringGetTextDatum(type)};
    SPI_connect();
    const int result = SPI_execute_with_args(sql, 3, types, values, nullptr, false, 1);
    if (found != nullptr) {
        bool null = true;
        *found = SPI_processed == 1 && DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
                                                                  SPI_tuptable->tupdesc, 1, &null));
    }
    SPI_finish();
    return result == SPI_OK_SELECT;
}

}  // namespace

bool AdoptLinkedColumn(const Node* node) {
    if (!Catalog::Current().present) return false;
    const auto* statement = reinterpret_cast<const AlterTableStmt*>(node);
    const AlterTableCmd* command = OnlyTypeChange(statement);
    if (command == nullptr) return false;
    const char* type = EncryptedTypeName(castNode(ColumnDef, command->def)->typeName);
    const Oid relation = RangeVarGetRelid(statement->relation, NoLock, true);
    if (type == nullptr || !OidIsValid(relation)) return false;
    // linked_columns counts the column itself. The types are the same where the step is being done.
    bool linked = false;
    RunQuery("SELECT count(*) > 1 FROM rampart.linked_columns($1, $2)", relation, command->name,
             type, &linked);
    if (!linked) return false;
    if (!RunQuery("SELECT rampart.adopt_column($1, $2, $3)", relation, command->name, type,
                  nullptr))
        throw Error(errc::kInternal, "could not convert the columns tied by foreign keys");
    return true;
}

}  // namespace rampart::pg::rewrite
