#include "db/transaction.hpp"

#include "ops/log.hpp"

namespace rampart::server::db {
namespace {

Statement CallStatement(std::string_view function, const Arguments& arguments) {
    Statement statement{CallOf(function, arguments), {}};
    for (const Argument& argument : arguments) statement.parameters.push_back(argument.value);
    return statement;
}

nlohmann::json Parsed(const std::optional<std::string>& value) {
    return value ? nlohmann::json::parse(*value) : nlohmann::json();
}

}  // namespace

Transaction::~Transaction() {
    if (!open_) return;
    try {
        (*lease_)->Run({{"ROLLBACK", {}}});
    } catch (const std::exception&) {
        // The pool closes a connection that is still in a transaction.
    }
}

nlohmann::json Transaction::Call(std::string_view function, const Arguments& arguments) {
    return Run(CallStatement(function, arguments), false);
}

nlohmann::json Transaction::Finish(std::string_view function, const Arguments& arguments) {
    return Run(CallStatement(function, arguments), !keep_open_);
}

void Transaction::Begin() { Run(std::nullopt, false); }

void Transaction::Commit() {
    if (open_) Run(std::nullopt, true);
}

nlohmann::json Transaction::Run(std::optional<Statement> call, bool commit) {
    std::vector<Statement> statements;
    std::size_t claims_at = 0;
    if (!open_) {
        statements.push_back({"BEGIN", {}});
        claims_at = statements.size();
        statements.push_back(CallStatement("begin_request", begin_));
        statements.insert(statements.end(), before_.begin(), before_.end());
    }
    const std::size_t call_at = statements.size();
    if (call) statements.push_back(std::move(*call));
    if (commit) statements.push_back({"COMMIT", {}});
    try {
        if (!lease_) lease_.emplace(pool_.Take());
        open_ = true;
        const auto values = (*lease_)->Run(statements);
        if (claims_at > 0) claims_ = Parsed(values[claims_at]);
        begun_ = true;
        if (commit) open_ = false;
        return call ? Parsed(values[call_at]) : nlohmann::json();
    } catch (const StatementError& error) {
        sqlstate_ = error.sqlstate();
        const http::Problem problem = ProblemOf(error);
        if (problem.status() >= 500) ops::LogDatabaseError(error.sqlstate(), error.what());
        throw problem;
    } catch (const ConnectionError& error) {
        open_ = false;
        ops::LogDatabaseError("08000", error.what());
        throw http::Problem("unavailable").RetryAfter(2);
    }
}

}  // namespace rampart::server::db
