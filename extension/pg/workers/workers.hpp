// Background processes. There is little in them: what is to be done, and when, SQL says.
//
//   rampart worker     one a database at most, while there is work: SELECT rampart.work(), a
//                      transaction at a time, until it says that nothing is left
//   rampart launcher   one a cluster, where the postmaster preloads the library: starts a worker in
//                      each database at the start of the server, at a standby's promotion, and
//                      every rampart.worker_naptime, so that work goes on after a crash
#pragma once

namespace rampart::pg::workers {

// REQUIRES: called from _PG_init.
void Install();

// Starts a worker for this database when the transaction has committed.
void WakeAtCommit();

}  // namespace rampart::pg::workers
