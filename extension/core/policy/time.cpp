#include "policy/time.hpp"

#include <charconv>

namespace rampart::policy {
namespace {

bool ReadDigits(std::string_view text, std::size_t at, std::size_t count, int& number) {
    const char* first = text.data() + at;
    const auto read = std::from_chars(first, first + count, number);
    return *first != '-' && read.ec == std::errc() && read.ptr == first + count;
}

// The years 0 to 9999.
std::optional<std::chrono::sys_seconds> ParseTime(std::string_view text) {
    constexpr std::string_view kShape = "0000-00-00 00:00:00";
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (text.size() != kShape.size()) return std::nullopt;
    for (const std::size_t at : {4U, 7U, 10U, 13U, 16U}) {
        if (text[at] != kShape[at]) return std::nullopt;
    }
    if (!ReadDigits(text, 0, 4, year) || !ReadDigits(text, 5, 2, month) ||
        !ReadDigits(text, 8, 2, day) || !ReadDigits(text, 11, 2, hour) ||
        !ReadDigits(text, 14, 2, minute) || !ReadDigits(text, 17, 2, second)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

}  // namespace

std::optional<TimeRange> ParseTimeRange(std::string_view start, std::string_view end) {
    constexpr std::string_view kOpen = "_";
    TimeRange range;
    if (start != kOpen && !(range.start = ParseTime(start))) return std::nullopt;
    if (end != kOpen && !(range.end = ParseTime(end))) return std::nullopt;
    return range;
}

}  // namespace rampart::policy
