// Calls that no request asked for: the server's own housekeeping.
#pragma once

#include <nlohmann/json.hpp>

#include "db/transaction.hpp"

namespace rampart::server::db {

inline nlohmann::json CallAsServer(Pool& pool, std::string_view function,
                                   const Arguments& arguments = {}) {
    Transaction transaction(pool,
                            {{"request_id", Value()}, {"ip", Value()}, {"user_agent", "rampartd"}});
    return transaction.Finish(function, arguments);
}

}  // namespace rampart::server::db
