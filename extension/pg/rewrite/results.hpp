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

// A statement that maps queries of its own to XML is about to run. Their encrypted columns would be
// written as strings, where the plain type has a form of its own in XML: refused with error RMT09.
void NoteXmlMapping();

// Whether a column of a result was given its plain type.
bool IsRevealed(const Catalog& catalog, const Expr* expression);

void InstallResultsHook();

}  // namespace rampart::pg::rewrite
