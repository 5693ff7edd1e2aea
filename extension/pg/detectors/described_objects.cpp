#include "pg/detectors/described.hpp"
#include "pg/detectors/detectors.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "commands/defrem.h"
#include "nodes/value.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace rampart::pg::detectors {
namespace {

const char* QualifiedName(Oid relation) {
    const char* name = get_rel_name(relation);
    return name == nullptr
               ? nullptr
               : quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

Finding& About(Finding& finding, const RangeVar* name) {
    const Oid relation = RangeVarGetRelid(name, NoLock, true);
    return OidIsValid(relation) ? finding.About(QualifiedName(relation), relation)
                                : finding.With("relation", name->relname);
}

// Whether a COPY of a table's rows will not be refused at once; that would be authz.denied.
bool MayRead(const RangeVar* name) {
    const Oid relation = name == nullptr ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
    if (!OidIsValid(relation)) return name == nullptr;
    const Oid role = GetUserId();
    return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(relation, role, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
}

void TellCopy(const CopyStmt* copy, const char* event) {
    Finding finding(event);
    finding.With("direction", copy->is_from ? "from" : "to");
    if (copy->relation != nullptr) About(finding, copy->relation);
    if (copy->query != nullptr) finding.With("source", "query");
    if (!copy->is_program) finding.With("file", copy->filename);
    finding.Send();
}

// Values may be secrets.
void TellSetting(const VariableSetStmt* setting, const char* key, const char* of) {
    Finding("config.changed").With("setting", setting->name).With(key, of).Send();
}

bool IsDefiner(const List* options) {
    ListCell* cell = nullptr;
    foreach (cell, options) {
        const auto* option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, "security") == 0) return boolVal(option->arg);
    }
    return false;
}

void TellExtension(const char* name, const char* change) {
    Finding("schema.extension_installed_or_removed")
        .With("extension", name)
        .With("change", change)
        .Send();
}

}  // namespace

void DescribeCopy(const Node* statement) {
    const auto* copy = reinterpret_cast<const CopyStmt*>(statement);
    const Oid role = GetUserId();
    if (copy->is_program) {
        if (has_privs_of_role(role, ROLE_PG_EXECUTE_SERVER_PROGRAM))
            TellCopy(copy, "data.program_run");
    } else if (copy->filename != nullptr) {
        if (has_privs_of_role(
                role, copy->is_from ? ROLE_PG_READ_SERVER_FILES : ROLE_PG_WRITE_SERVER_FILES))
            TellCopy(copy, "data.server_file_access");
    }
    if (!copy->is_from && MayRead(copy->relation)) TellCopy(copy, "data.export");
}

void DescribeAlterSystem(const Node* statement) {
    const VariableSetStmt* setting = reinterpret_cast<const AlterSystemStmt*>(statement)->setstmt;
    if (setting->kind == VAR_RESET_ALL) {
        Finding("config.changed").With("of", "system").With("change", "reset all").Send();
    } else {
        TellSetting(setting, "of", "system");
    }
}

void DescribeAlterRoleSet(const Node* statement) {
    const auto* alter = reinterpret_cast<const AlterRoleSetStmt*>(statement);
    const char* role = NameOf(alter->role);
    TellSetting(alter->setstmt, "role", role != nullptr ? role : "ALL");
}

void DescribeAlterDatabaseSet(const Node* statement) {
    const auto* alter = reinterpret_cast<const AlterDatabaseSetStmt*>(statement);
    TellSetting(alter->setstmt, "database", alter->dbname);
}

void DescribeCreatePolicy(const Node* statement) {
    const auto* create = reinterpret_cast<const CreatePolicyStmt*>(statement);
    Finding finding("policy.created");
    About(finding.With("policy", create->policy_name), create->table).Send();
}

void DescribeAlterPolicy(const Node* statement) {
    const auto* alter = reinterpret_cast<const AlterPolicyStmt*>(statement);
    Finding finding("policy.changed_or_dropped");
    About(finding.With("policy", alter->policy_name).With("change", "altered"), alter->table)
        .Send();
}

void DescribeRowSecurity(const Node* statement) {
    static constexpr struct {
        AlterTableType type;
        const char* change;
    } kChanges[] = {{AT_EnableRowSecurity, "enabled"},
                    {AT_DisableRowSecurity, "disabled"},
                    {AT_ForceRowSecurity, "forced"},
                    {AT_NoForceRowSecurity, "not forced"}};
    const auto* alter = reinterpret_cast<const AlterTableStmt*>(statement);
    ListCell* cell = nullptr;
    foreach (cell, alter->cmds) {
        for (const auto& [type, change] : kChanges) {
            if (lfirst_node(AlterTableCmd, cell)->subtype != type) continue;
            Finding finding("policy.changed_or_dropped");
            About(finding.With("change", change), alter->relation).Send();
        }
    }
}

void DescribeDrop(const Node* statement) {
    const auto* drop = reinterpret_cast<const DropStmt*>(statement);
    ListCell* cell = nullptr;
    foreach (cell, drop->objects) {
        auto* object = static_cast<Node*>(lfirst(cell));
        if (drop->removeType == OBJECT_EXTENSION) {
            TellExtension(strVal(object), "removed");
        } else if (drop->removeType == OBJECT_POLICY) {
            Finding("policy.changed_or_dropped")
                .With("policy", NameListToString(castNode(List, object)))
                .With("change", "dropped")
                .Send();
        }
    }
}

void DescribeRename(const Node* statement) {
    const auto* rename = reinterpret_cast<const RenameStmt*>(statement);
    if (rename->renameType == OBJECT_ROLE) {
        Finding("role.altered").With("role", rename->subname).With("to", rename->newname).Send();
    } else if (rename->renameType == OBJECT_POLICY) {
        Finding finding("policy.changed_or_dropped");
        About(finding.With("policy", rename->subname).With("change", "renamed"), rename->relation)
            .With("to", rename->newname)
            .Send();
    }
}

void DescribeCreateFunction(const Node* statement) {
    const auto* create = reinterpret_cast<const CreateFunctionStmt*>(statement);
    if (!IsDefiner(create->options)) return;
    Finding("schema.definer_function_created")
        .With("function", NameListToString(create->funcname))
        .Send();
}

void DescribeAlterFunction(const Node* statement) {
    const auto* alter = reinterpret_cast<const AlterFunctionStmt*>(statement);
    if (!IsDefiner(alter->actions)) return;
    Finding("schema.definer_function_created")
        .With("function", NameListToString(alter->func->objname))
        .With("change", "altered")
        .Send();
}

void DescribeCreateExtension(const Node* statement) {
    TellExtension(reinterpret_cast<const CreateExtensionStmt*>(statement)->extname, "installed");
}

void DescribeAlterExtension(const Node* statement) {
    TellExtension(reinterpret_cast<const AlterExtensionStmt*>(statement)->extname, "updated");
}

}  // namespace rampart::pg::detectors
