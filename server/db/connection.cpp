#include "db/connection.hpp"

#include <poll.h>

namespace rampart::server::db {

Connection::Connection(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (IsBroken()) throw ConnectionError(PQerrorMessage(connection_.get()));
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    if (PQenterPipelineMode(connection_.get()) != 1) Lose();
}

void Connection::Lose() { throw ConnectionError(PQerrorMessage(connection_.get())); }

bool Connection::IsStale() const {
    pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
    return poll(&socket, 1, 0) != 0;
}

bool Connection::InTransaction() const {
    const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
    return status != PQTRANS_IDLE;
}

void Connection::Send(const Statement& statement) {
    const auto [entry, is_new] =
        prepared_.try_emplace(statement.sql, "s" + std::to_string(prepared_.size()));
    if (is_new) {
        preparing_.push_back(statement.sql);
        if (PQsendPrepare(connection_.get(), entry->second.c_str(), statement.sql.c_str(), 0,
                          nullptr) != 1)
            Lose();
    } else {
        preparing_.emplace_back();
    }
    std::vector<const char*> values;
    values.reserve(statement.parameters.size());
    for (const Value& parameter : statement.parameters) {
        values.push_back(parameter.text() ? parameter.text()->c_str() : nullptr);
    }
    if (PQsendQueryPrepared(connection_.get(), entry->second.c_str(),
                            static_cast<int>(values.size()), values.data(), nullptr, nullptr,
                            0) != 1) {
        Lose();
    }
}

PgResult Connection::Receive() {
    PgResult result(PQgetResult(connection_.get()));
    if (result == nullptr) Lose();
    if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
        // Each command's results end with a null.
        while (PGresult* more = PQgetResult(connection_.get())) PQclear(more);
    }
    return result;
}

std::vector<std::optional<std::string>> Connection::Run(const std::vector<Statement>& statements) {
    preparing_.clear();
    for (const Statement& statement : statements) Send(statement);
    if (PQpipelineSync(connection_.get()) != 1) Lose();

    std::vector<std::optional<std::string>> values;
    std::optional<StatementError> error;
    const auto take = [&](const PgResult& result, const std::string* preparing) {
        switch (PQresultStatus(result.get())) {
            case PGRES_COMMAND_OK:
            case PGRES_TUPLES_OK:
                return true;
            case PGRES_PIPELINE_ABORTED:
                break;
            default: {
                if (IsBroken()) Lose();
                const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
                const char* message = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
                if (!error)
                    error.emplace(state != nullptr ? state : "08006",
                                  message != nullptr ? message : "");
            }
        }
        if (preparing != nullptr) prepared_.erase(*preparing);
        return false;
    };
    for (const std::string& preparing : preparing_) {
        if (!preparing.empty()) take(Receive(), &preparing);
        const PgResult result = Receive();
        const bool has_value = take(result, nullptr) && PQntuples(result.get()) > 0 &&
                               PQgetisnull(result.get(), 0, 0) == 0;
        values.push_back(
            has_value ? std::optional<std::string>(std::in_place, PQgetvalue(result.get(), 0, 0))
                      : std::nullopt);
    }
    while (PQresultStatus(Receive().get()) != PGRES_PIPELINE_SYNC) {
    }
    if (error) throw *error;
    return values;
}

}  // namespace rampart::server::db
