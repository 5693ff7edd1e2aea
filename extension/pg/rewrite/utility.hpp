// The utility hook: statements that make encrypted columns in ways an event trigger sees too late.
#pragma once

#include "pg/catalog.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace rampart::pg::rewrite {

// Whether a type is an encrypted one or a container of such.
bool StoresEncrypted(const Catalog& catalog, Oid type);

// Whether a row type (or an array of it, or a domain over it) has an encrypted column without a
// scope, as those of views may.
bool HoldsUnscoped(const Catalog& catalog, Oid type);

// Gives every encrypted column of CREATE TABLE AS, also within EXPLAIN, a scope. Error RMT04.
void GiveScopes(Node* statement);

// Carries out ALTER TABLE ... ALTER COLUMN ... TYPE enc_...() where a foreign key ties the column
// to another, which then changes with it. False: nothing of the kind.
bool AdoptLinkedColumn(const Node* statement);

void InstallUtilityHook();

}  // namespace rampart::pg::rewrite
