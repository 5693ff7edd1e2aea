// Times of conditional roles: "2026-01-31 23:59:59", in UTC, or "_" for none.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rampart::policy {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

struct TimeRange {
    std::optional<std::chrono::sys_seconds> start;
    std::optional<std::chrono::sys_seconds> end;

    bool Holds(Time now) const { return (!start || now > *start) && (!end || now < *end); }
};

// Nothing if either is neither a time nor "_".
std::optional<TimeRange> ParseTimeRange(std::string_view start, std::string_view end);

}  // namespace rampart::policy
