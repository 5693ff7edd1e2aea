#include "db/migrate.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "config/embedded.hpp"
#include "crypto/sha256.hpp"
#include "db/errors.hpp"
#include "db/libpq.hpp"

namespace rampart::server::db {
namespace {

// What all migrations begin with: the table that knows of them.
constexpr const char* kBook = R"sql(
CREATE TABLE IF NOT EXISTS public.rampart_auth_migration (
    name       text PRIMARY KEY,
    hash       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON public.rampart_auth_migration TO PUBLIC;
CREATE EXTENSION IF NOT EXISTS rampart;
)sql";

class Session {
  public:
    explicit Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
        if (PQstatus(connection_.get()) != CONNECTION_OK)
            throw ConnectionError(PQerrorMessage(connection_.get()));
        PQsetNoticeProcessor(
            connection_.get(), [](void*, const char*) {}, nullptr);
    }

    // Statements without parameters; rows of the last.
    std::vector<std::vector<std::string>> Run(const std::string& sql) {
        return Rows(PgResult(PQexec(connection_.get(), sql.c_str())));
    }
    void Run(const char* sql, const std::string& first, const std::string& second) {
        const char* values[] = {first.c_str(), second.c_str()};
        Rows(PgResult(
            PQexecParams(connection_.get(), sql, 2, nullptr, values, nullptr, nullptr, 0)));
    }

  private:
    std::vector<std::vector<std::string>> Rows(const PgResult& result) {
        const ExecStatusType status = PQresultStatus(result.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
            throw StatementError(state != nullptr ? state : "08006",
                                 PQresultErrorMessage(result.get()));
        }
        std::vector<std::vector<std::string>> rows;
        for (int row = 0; row < PQntuples(result.get()); ++row) {
            rows.emplace_back();
            for (int column = 0; column < PQnfields(result.get()); ++column)
                rows.back().emplace_back(PQgetvalue(result.get(), row, column));
        }
        return rows;
    }

    PgConnection connection_;
};

std::map<std::string, std::string> Applied(Session& session) {
    std::map<std::string, std::string> applied;
    for (const auto& row : session.Run("SELECT name, hash FROM public.rampart_auth_migration"))
        applied[row[0]] = row[1];
    return applied;
}

void Apply(Session& session, const EmbeddedFile& file, const std::string& hash) {
    try {
        session.Run("BEGIN; SET LOCAL client_min_messages = warning");
        session.Run(std::string(file.text));
        session.Run("RESET ROLE");
        session.Run("INSERT INTO public.rampart_auth_migration (name, hash) VALUES ($1, $2)",
                    std::string(file.name), hash);
        session.Run("COMMIT");
    } catch (const StatementError& error) {
        throw std::runtime_error(std::string(file.name) + ": " + error.what());
    }
}

}  // namespace

Migrated Migrate(const std::string& conninfo) {
    Session session(conninfo);
    // Held by this session: others wait, and find nothing left to do.
    session.Run("SELECT pg_advisory_lock(hashtext('rampart_auth.migrate'))");
    session.Run(kBook);
    const auto applied = Applied(session);
    Migrated result;
    result.before = static_cast<int>(applied.size());
    for (const EmbeddedFile& file : kMigrations) {
        const std::string hash = HexOf(Sha256(AsBytes(file.text)));
        const auto found = applied.find(std::string(file.name));
        if (found == applied.end()) {
            Apply(session, file, hash);
            result.applied.emplace_back(file.name);
        } else if (found->second != hash) {
            throw std::runtime_error(std::string(file.name) +
                                     " is not what was applied to this database");
        }
    }
    return result;
}

std::vector<std::string> Missing(const std::string& conninfo) {
    Session session(conninfo);
    std::map<std::string, std::string> applied;
    if (session.Run("SELECT to_regclass('public.rampart_auth_migration') IS NOT NULL")[0][0] == "t")
        applied = Applied(session);
    std::vector<std::string> missing;
    for (const EmbeddedFile& file : kMigrations) {
        if (!applied.contains(std::string(file.name))) missing.emplace_back(file.name);
    }
    return missing;
}

}  // namespace rampart::server::db
