// The months by which the log is cut: calendar months in UTC, as rampart.create_audit_partitions
// cuts them.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace rampart::pg::audit {

struct Month {
    TimestampTz begin;
    TimestampTz end;  // not part of it

    bool Has(TimestampTz at) const { return at >= begin && at < end; }
};

Month MonthOf(TimestampTz at);

}  // namespace rampart::pg::audit
