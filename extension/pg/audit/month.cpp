#include "pg/audit/month.hpp"

#include <cstdint>

extern "C" {
#include "utils/datetime.h"
}

namespace rampart::pg::audit {

Month MonthOf(TimestampTz at) {
    int year = 0;
    int month = 0;
    int day = 0;
    const std::int64_t days =
        (at >= 0 ? at : at - USECS_PER_DAY + 1) / USECS_PER_DAY + POSTGRES_EPOCH_JDATE;
    j2date(static_cast<int>(days), &year, &month, &day);
    const int first = date2j(year, month, 1) - POSTGRES_EPOCH_JDATE;
    const int next =
        (month == 12 ? date2j(year + 1, 1, 1) : date2j(year, month + 1, 1)) - POSTGRES_EPOCH_JDATE;
    return {first * USECS_PER_DAY, next * USECS_PER_DAY};
}

}  // namespace rampart::pg::audit
