// What SQL sees of the counting of values per key.
#include "pg/postgres.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/usage.hpp"
#include "pg/keyring/usage_table.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "funcapi.h"
}

namespace rampart::pg::functions {
namespace {

// (key_id int8, amount int8), a row a key.
Datum PendingUsage(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    constexpr int kRoom = keyring::UsageTable::kCapacity;
    auto* entries = static_cast<keyring::KeyUsage*>(palloc(kRoom * sizeof(keyring::KeyUsage)));
    const int count = keyring::UsageTable::Pending(entries, kRoom);
    for (int i = 0; i < count; ++i) {
        Datum values[] = {Int64GetDatum(static_cast<std::int64_t>(entries[i].key_id)),
                          Int64GetDatum(entries[i].pending)};
        bool nulls[] = {false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return Datum{0};
}

}  // namespace
}  // namespace rampart::pg::functions

RAMPART_FUNCTION(rampart_pending_usage) { return rampart::pg::functions::PendingUsage(fcinfo); }
RAMPART_FUNCTION(rampart_flush_usage) {
    PreventCommandIfReadOnly("rampart.flush_usage()");
    return Int64GetDatum(rampart::pg::keyring::FlushUsage());
}
RAMPART_FUNCTION(rampart_key_budget) {
    return Int64GetDatum(static_cast<std::int64_t>(rampart::pg::settings::key_budget));
}
