// Brings the database to what this server needs: applies the files of sql/auth that it has not had,
// each in its own transaction, in order, one instance at a time.
#pragma once

#include <string>
#include <vector>

namespace rampart::server::db {

struct Migrated {
    std::vector<std::string> applied;  // names of files
    int before = 0;                    // how many had been applied
};

// As the database's owner or a superuser. Goes on where another run was cut off. Throws
// std::runtime_error, which names the file, also where one was changed after it had been applied.
Migrated Migrate(const std::string& conninfo);

// Names of the files that the database has not had, as the role rampartd. Throws ConnectionError,
// StatementError.
std::vector<std::string> Missing(const std::string& conninfo);

}  // namespace rampart::server::db
