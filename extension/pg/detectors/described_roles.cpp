#include "pg/detectors/described.hpp"
#include "pg/detectors/detectors.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "commands/defrem.h"
#include "nodes/value.h"
#include "utils/acl.h"
}

namespace rampart::pg::detectors {
namespace {

const DefElem* FindOption(const List* options, const char* name) {
    ListCell* cell = nullptr;
    foreach (cell, options) {
        const auto* option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, name) == 0) return option;
    }
    return nullptr;
}

bool Sets(const List* options, const char* name) {
    const DefElem* option = FindOption(options, name);
    return option != nullptr && option->arg != nullptr && boolVal(option->arg);
}

// Which options, and not what they are set to: one is a password.
Finding& AddOptions(Finding& finding, const List* options) {
    ListCell* cell = nullptr;
    finding.Open("options");
    foreach (cell, options) finding.Item(lfirst_node(DefElem, cell)->defname);
    return finding.Close();
}

Finding& AddRoles(Finding& finding, const char* key, const List* roles) {
    ListCell* cell = nullptr;
    finding.Open(key);
    foreach (cell, roles) finding.Item(NameOf(lfirst_node(RoleSpec, cell)));
    return finding.Close();
}

void TellMembers(const char* group, const List* members, bool added) {
    Finding finding(added ? "role.member_added" : "role.member_removed");
    AddRoles(finding.With("group", group), "members", members).Send();
}

void TellIfSuperuser(const char* role, const List* options) {
    if (Sets(options, "superuser")) Finding("authz.superuser_granted").With("role", role).Send();
}

const char* KindOf(const GrantStmt* grant) {
    switch (grant->objtype) {
        case OBJECT_TABLE:
            return "table";
        case OBJECT_SEQUENCE:
            return "sequence";
        case OBJECT_DATABASE:
            return "database";
        case OBJECT_SCHEMA:
            return "schema";
        case OBJECT_FUNCTION:
        case OBJECT_PROCEDURE:
        case OBJECT_ROUTINE:
            return "routine";
        case OBJECT_PARAMETER_ACL:
            return "parameter";
        case OBJECT_LARGEOBJECT:
            return "large object";
        default:
            return "other";
    }
}

const char* NameOfObject(const Node* object) {
    switch (nodeTag(object)) {
        case T_RangeVar: {
            const auto* name = reinterpret_cast<const RangeVar*>(object);
            return name->schemaname == nullptr ? name->relname
                                               : psprintf("%s.%s", name->schemaname, name->relname);
        }
        case T_ObjectWithArgs:
            return NameListToString(reinterpret_cast<const ObjectWithArgs*>(object)->objname);
        case T_String:
            return strVal(object);
        case T_List:
            return NameListToString(const_cast<List*>(reinterpret_cast<const List*>(object)));
        default:
            return nullptr;
    }
}

void TellGrant(const GrantStmt* grant, const char* event) {
    ListCell* cell = nullptr;
    Finding finding(event);
    finding.With("kind", KindOf(grant)).Open("privileges");
    foreach (cell, grant->privileges) finding.Item(lfirst_node(AccessPriv, cell)->priv_name);
    if (grant->privileges == NIL) finding.Item("all");
    finding.Close().Open(grant->targtype == ACL_TARGET_ALL_IN_SCHEMA ? "all in schemas"
                                                                     : "objects");
    foreach (cell, grant->objects) finding.Item(NameOfObject(static_cast<Node*>(lfirst(cell))));
    AddRoles(finding.Close(), "roles", grant->grantees);
    if (grant->grant_option) finding.With("option", "grant");
    finding.Send();
}

}  // namespace

const char* NameOf(const RoleSpec* role) {
    if (role == nullptr) return nullptr;
    switch (role->roletype) {
        case ROLESPEC_CSTRING:
            return role->rolename;
        case ROLESPEC_PUBLIC:
            return "PUBLIC";
        case ROLESPEC_SESSION_USER:
            return "SESSION_USER";
        default:
            return "CURRENT_USER";
    }
}

void DescribeCreateRole(const Node* statement) {
    const auto* create = reinterpret_cast<const CreateRoleStmt*>(statement);
    Finding finding("role.created");
    AddOptions(finding.With("role", create->role), create->options).Send();
    TellIfSuperuser(create->role, create->options);
}

void DescribeAlterRole(const Node* statement) {
    const auto* alter = reinterpret_cast<const AlterRoleStmt*>(statement);
    const char* role = NameOf(alter->role);
    if (const DefElem* members = FindOption(alter->options, "rolemembers"))
        return TellMembers(role, reinterpret_cast<const List*>(members->arg), alter->action > 0);
    Finding finding("role.altered");
    AddOptions(finding.With("role", role), alter->options).Send();
    TellIfSuperuser(role, alter->options);
    if (FindOption(alter->options, "password") != nullptr)
        Finding("auth.password_change").With("role", role).Send();
}

void DescribeDropRole(const Node* statement) {
    Finding finding("role.dropped");
    AddRoles(finding, "roles", reinterpret_cast<const DropRoleStmt*>(statement)->roles).Send();
}

void DescribeGrantRole(const Node* statement) {
    const auto* grant = reinterpret_cast<const GrantRoleStmt*>(statement);
    ListCell* cell = nullptr;
    foreach (cell, grant->granted_roles)
        TellMembers(lfirst_node(AccessPriv, cell)->priv_name, grant->grantee_roles,
                    grant->is_grant);
}

void DescribeGrant(const Node* statement) {
    const auto* grant = reinterpret_cast<const GrantStmt*>(statement);
    TellGrant(grant, grant->is_grant ? "authz.grant" : "authz.revoke");
}

void DescribeDefaultPrivileges(const Node* statement) {
    TellGrant(reinterpret_cast<const AlterDefaultPrivilegesStmt*>(statement)->action,
              "authz.default_privileges_changed");
}

}  // namespace rampart::pg::detectors
