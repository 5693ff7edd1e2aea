// Types of the columns that a client is sent.
#pragma once

#include "pg/catalog.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

namespace rampart::pg::rewrite {

// Whether what is being analysed or planned now has its result sent to a client, and not stored.
bool GoesToClient();

// Whether a column of a result was given its plain type.
bool IsRevealed(const Catalog& catalog, const Expr* expression);

void InstallResultsHook();

}  // namespace rampart::pg::rewrite
