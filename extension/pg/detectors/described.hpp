// What is told of each kind of statement; statements.cpp has the table. REQUIRES, of each: a node
// of the kind that its name says.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace rampart::pg::detectors {

// described_roles.cpp
void DescribeCreateRole(const Node* statement);
void DescribeAlterRole(const Node* statement);
void DescribeDropRole(const Node* statement);
void DescribeGrantRole(const Node* statement);
void DescribeGrant(const Node* statement);
void DescribeDefaultPrivileges(const Node* statement);

// described_objects.cpp
void DescribeCopy(const Node* statement);
void DescribeAlterSystem(const Node* statement);
void DescribeAlterRoleSet(const Node* statement);
void DescribeAlterDatabaseSet(const Node* statement);
void DescribeCreatePolicy(const Node* statement);
void DescribeAlterPolicy(const Node* statement);
void DescribeRowSecurity(const Node* statement);
void DescribeDrop(const Node* statement);
void DescribeRename(const Node* statement);
void DescribeCreateFunction(const Node* statement);
void DescribeAlterFunction(const Node* statement);
void DescribeCreateExtension(const Node* statement);
void DescribeAlterExtension(const Node* statement);

// A role as the statement names it: PUBLIC, CURRENT_USER and their kin by these words.
const char* NameOf(const RoleSpec* role);

}  // namespace rampart::pg::detectors
