// What the processes know of each other.
#pragma once

#include "pg/postgres.hpp"
#include "pg/workers/workers.hpp"

namespace rampart::pg::workers {

// False if there is no room for another process.
bool StartWorker(Kind kind, Oid database);

void RegisterLauncher();

}  // namespace rampart::pg::workers
