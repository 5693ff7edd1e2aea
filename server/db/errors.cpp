#include "db/errors.hpp"

#include <algorithm>
#include <iterator>

namespace rampart::server::db {
namespace {

struct Row {
    std::string_view sqlstate;  // of five characters, or a class of two
    std::string_view code;
    bool tells;  // whether the message is for the caller
    int retry_after;
};

constexpr Row kRows[] = {
    {"RMU01", "session_ended", false, 0},
    {"RMU02", "forbidden", true, 0},
    {"RMU03", "not_found", true, 0},
    {"RMU04", "conflict", true, 0},
    {"RMU05", "tenant_forbidden", false, 0},
    {"RMU06", "token_invalid", false, 0},
    {"RMU08", "signup_refused", true, 0},
    {"RMU09", "session_ended", false, 0},
    {"RMU10", "conflict", false, 0},  // answered before: http/chain.cpp gives that answer
    {"RMU11", "idempotency_key_reused", false, 0},
    {"RMU12", "tenant_required", true, 0},
    {"RMU13", "not_possible", true, 0},
    {"RMU30", "mfa_session_ended", false, 0},
    {"RMU31", "step_up_required", false, 0},
    {"RMU32", "mfa_not_set_up", true, 0},
    {"RMU33", "not_possible", true, 0},
    {"RMU34", "not_possible", true, 0},
    {"RMP02", "not_possible", true, 0},
    {"RMP07", "not_possible", true, 0},
    {"RMA06", "not_found", true, 0},
    {"42501", "forbidden", false, 0},
    {"22", "validation_failed", false, 0},  // a value that only the database can tell is none
    {"40001", "unavailable", false, 1},     // serialization failure
    {"40P01", "unavailable", false, 1},     // deadlock
    {"55P03", "unavailable", false, 1},     // lock not available
    {"57014", "unavailable", false, 2},     // statement time-out
    {"08", "unavailable", false, 2},
    {"25006", "unavailable", false, 5},   // read-only: a standby
    {"53", "unavailable", false, 5},      // disk full, out of memory, too many connections
    {"57", "unavailable", false, 2},      // shutting down
    {"58", "unavailable", false, 5},      // I/O
    {"RMK05", "unavailable", false, 30},  // no root key
};

}  // namespace

http::Problem ProblemOf(const StatementError& error) {
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& candidate) {
        return error.sqlstate().starts_with(candidate.sqlstate);
    });
    if (row == std::end(kRows)) return http::Problem("internal_error");
    http::Problem problem(row->code, row->tells ? error.what() : "");
    if (row->retry_after > 0) problem.RetryAfter(row->retry_after);
    return problem;
}

}  // namespace rampart::server::db
