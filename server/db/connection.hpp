// A connection to PostgreSQL, with statements prepared once. One thread at a time.
//
// Statements are sent together and answered together: a request's BEGIN, its identity, its work
// and its COMMIT take one round trip.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "db/arguments.hpp"
#include "db/errors.hpp"
#include "db/libpq.hpp"

namespace rampart::server::db {

struct Statement {
    std::string sql;
    std::vector<Value> parameters;
};

class Connection {
  public:
    // Throws ConnectionError.
    explicit Connection(const std::string& conninfo);

    // The first value of each statement's first row, nothing for NULL and for none. Throws
    // StatementError for the first that fails, after which a transaction is to be rolled back, and
    // ConnectionError.
    std::vector<std::optional<std::string>> Run(const std::vector<Statement>& statements);

    // Whether the other side has hung up, or has said something nobody asked for.
    bool IsStale() const;
    bool IsBroken() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
    bool InTransaction() const;

    PGconn* raw() { return connection_.get(); }

  private:
    void Send(const Statement& statement);
    PgResult Receive();
    [[noreturn]] void Lose();

    PgConnection connection_;
    std::unordered_map<std::string, std::string> prepared_;  // by SQL
    std::vector<std::string> preparing_;                     // sent, not yet answered
};

}  // namespace rampart::server::db
