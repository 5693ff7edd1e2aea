// Background processes. There is little in them: what is to be done, and when, SQL says.
//
//   rampart worker     one a database at most, while there is work: SELECT rampart.work(), a
//                      transaction at a time, until it says that nothing is left
//   rampart auditor    likewise, SELECT rampart.audit_work(): while tables of the database are
//                      audited, or events of it queued, which wake it
//   rampart launcher   one a cluster, where the postmaster preloads the library: starts a worker in
//                      each database at the start of the server, at a standby's promotion, and
//                      every rampart.worker_naptime, so that work goes on after a crash; and an
//                      auditor where something is queued
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace rampart::pg::workers {

enum class Kind : std::uint8_t { kWorker, kAuditor };
constexpr int kKinds = 2;

// REQUIRES: called from _PG_init.
void Install();

// Starts a worker for this database when the transaction has committed.
void WakeAtCommit(Kind kind);

// When the transaction has committed, the launcher looks for databases that it does not know.
void AnnounceDatabaseAtCommit();

// Before a statement that needs a database free of sessions: ends the auditor there, if the role
// may do that to the database.
void MakeWay(const Node* statement);

}  // namespace rampart::pg::workers
