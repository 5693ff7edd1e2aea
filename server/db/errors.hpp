// Errors of the database, and what they are to whoever sent the request.
#pragma once

#include <stdexcept>
#include <string>

#include "http/problem.hpp"

namespace rampart::server::db {

// An error that PostgreSQL reported.
class StatementError : public std::runtime_error {
  public:
    StatementError(std::string sqlstate, const std::string& message)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
    const std::string& sqlstate() const { return sqlstate_; }

  private:
    std::string sqlstate_;
};

// The connection could not be had, or was lost: whether a COMMIT that was sent took place is then
// not known.
struct ConnectionError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// By SQLSTATE: those of class RMU are meant for the caller, with their message; what the server is
// to blame for is internal_error, what will pass is unavailable, both without a text.
http::Problem ProblemOf(const StatementError& error);

}  // namespace rampart::server::db
