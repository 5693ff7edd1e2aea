// The server's own log: one JSON object a line, on standard output. Bodies, headers, queries and
// errors' values never stand in it; paths are those of the route table.
#pragma once

#include <string>
#include <string_view>

namespace rampart::server::http {
class Exchange;
}

namespace rampart::server::ops {

void StartLog(const std::string& level);

void LogInfo(std::string_view event, std::string_view detail = {});
void LogWarning(std::string_view event, std::string_view detail);
void LogRequest(const http::Exchange& exchange, int status, double seconds);
// Of what was no request, or one too many: answered before any route was looked for.
void LogRefusal(std::string_view code, const std::string& request_id, const std::string& client);
// `what` is of an exception of ours or the library's, and of no user's input.
void LogFailure(std::string_view request_id, std::string_view what);
void LogDatabaseError(std::string_view sqlstate, std::string_view message);

}  // namespace rampart::server::ops
