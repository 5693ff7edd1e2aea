// What the two processes know of each other.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg::workers {

// False if there is no room for another process.
bool StartWorker(Oid database);

void RegisterLauncher();

}  // namespace rampart::pg::workers
