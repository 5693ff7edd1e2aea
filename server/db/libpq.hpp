// Owners of what libpq allocates.
#pragma once

#include <memory>

#include <libpq-fe.h>

namespace rampart::server::db {

struct LibpqDeleter {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using PgConnection = std::unique_ptr<PGconn, LibpqDeleter>;
using PgResult = std::unique_ptr<PGresult, LibpqDeleter>;

}  // namespace rampart::server::db
