#include "db/listener.hpp"

#include <poll.h>

#include <chrono>

#include "db/errors.hpp"
#include "db/libpq.hpp"
#include "ops/log.hpp"

namespace rampart::server::db {
namespace {

// A connection that is cut without a word is noticed by a question each so often, and what was
// heard is believed for no longer than kBelieved after the last answer.
constexpr int kAskEveryMs = 250;
constexpr int kAnswerWithinMs = 500;
constexpr std::int64_t kBelievedMs = 900;

std::int64_t Now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void WaitReadable(PGconn* connection, int milliseconds) {
    pollfd socket{PQsocket(connection), POLLIN, 0};
    poll(&socket, 1, milliseconds);
    if (PQconsumeInput(connection) != 1) throw ConnectionError(PQerrorMessage(connection));
}

void Ask(PGconn* connection, const char* sql) {
    if (PQsendQuery(connection, sql) != 1) throw ConnectionError(PQerrorMessage(connection));
    const std::int64_t deadline = Now() + kAnswerWithinMs;
    while (PQisBusy(connection) != 0) {
        if (Now() >= deadline) throw ConnectionError("no answer");
        WaitReadable(connection, static_cast<int>(deadline - Now()));
    }
    while (const PgResult result{PQgetResult(connection)}) {
        const ExecStatusType status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw ConnectionError(PQresultErrorMessage(result.get()));
    }
}

}  // namespace

void Listener::Start() {
    thread_ = std::thread([this] { Work(); });
}

void Listener::Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

bool Listener::connected() const {
    const std::int64_t alive = alive_at_.load();
    return alive != 0 && Now() - alive < kBelievedMs;
}

void Listener::Work() {
    while (!stopping_) {
        try {
            Session();
        } catch (const std::exception& error) {
            if (!stopping_) ops::LogDatabaseError("08000", error.what());
        }
        alive_at_ = 0;
        for (int i = 0; i < 4 && !stopping_; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

void Listener::Session() {
    const PgConnection connection(PQconnectdb(conninfo_.c_str()));
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw ConnectionError(PQerrorMessage(connection.get()));
    Ask(connection.get(), "LISTEN rampart_auth");
    for (const Subscriber& subscriber : subscribers_) subscriber.reload();
    while (!stopping_) {
        // What was notified before this moment comes before the answer.
        const std::int64_t asked = Now();
        Ask(connection.get(), "SELECT");
        const auto hear = [&] {
            while (PGnotify* notice = PQnotifies(connection.get())) {
                for (const Subscriber& subscriber : subscribers_) subscriber.heard(notice->extra);
                PQfreemem(notice);
            }
        };
        hear();
        alive_at_ = asked;
        while (!stopping_ && Now() - asked < kAskEveryMs) {
            WaitReadable(connection.get(), static_cast<int>(std::max<std::int64_t>(
                                               1, kAskEveryMs - (Now() - asked))));
            hear();
        }
    }
}

}  // namespace rampart::server::db
