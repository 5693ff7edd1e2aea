#include "ops/log.hpp"

#include <cmath>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "http/exchange.hpp"

namespace rampart::server::ops {
namespace {

using nlohmann::json;

void Line(spdlog::level::level_enum level, const json& members) {
    if (!spdlog::should_log(level)) return;
    // Without its brace: time and level go in front of the first member.
    spdlog::log(level, "{}",
                members.dump(-1, ' ', false, json::error_handler_t::replace).substr(1));
}

}  // namespace

void StartLog(const std::string& level) {
    auto logger = spdlog::stdout_logger_mt("rampartd");
    logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)",
                        spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
    spdlog::flush_every(std::chrono::seconds(1));
}

void LogInfo(std::string_view event, std::string_view detail) {
    json line = {{"event", event}};
    if (!detail.empty()) line["detail"] = detail;
    Line(spdlog::level::info, line);
}

void LogWarning(std::string_view event, std::string_view detail) {
    Line(spdlog::level::warn, {{"event", event}, {"detail", detail}});
}

void LogRequest(const http::Exchange& exchange, int status, double seconds) {
    json line = {{"event", "request"},
                 {"request_id", exchange.request_id},
                 {"method", exchange.request.method},
                 {"route", exchange.route == nullptr ? "" : exchange.route->path},
                 {"status", status},
                 {"ms", std::round(seconds * 1e6) / 1e3},
                 {"ip", exchange.client_ip}};
    if (exchange.token) line["subject"] = exchange.token->subject;
    if (!exchange.organisation.empty()) line["organisation"] = exchange.organisation;
    Line(status >= 500 ? spdlog::level::warn : spdlog::level::info, line);
}

void LogRefusal(std::string_view code, const std::string& request_id, const std::string& client) {
    Line(spdlog::level::info,
         {{"event", "refused"}, {"request_id", request_id}, {"code", code}, {"ip", client}});
}

void LogFailure(std::string_view request_id, std::string_view what) {
    Line(spdlog::level::err, {{"event", "failure"}, {"request_id", request_id}, {"what", what}});
}

void LogDatabaseError(std::string_view sqlstate, std::string_view message) {
    Line(spdlog::level::err, {{"event", "database"}, {"sqlstate", sqlstate}, {"message", message}});
}

}  // namespace rampart::server::ops
