// Statistics for ANALYZE. Of deterministic columns the usual ones, over ciphertexts; of others only
// the share of NULLs and the width: their values do not compare.
#include "pg/postgres.hpp"

#include "pg/boundary.hpp"
#include "typmod.hpp"

extern "C" {
#include "access/detoast.h"
#include "commands/vacuum.h"
}

namespace rampart::pg::types {
namespace {

void ComputeWidth(VacAttrStats* stats, AnalyzeAttrFetchFunc fetch, int rows, double) {
    int nulls = 0;
    double width = 0;
    for (int i = 0; i < rows; ++i) {
        bool null = false;
        const Datum value = fetch(stats, i, &null);
        vacuum_delay_point();
        if (null) {
            ++nulls;
        } else {
            width += static_cast<double>(toast_datum_size(value));
        }
    }
    if (rows == 0) return;
    stats->stats_valid = true;
    stats->stanullfrac = static_cast<float4>(static_cast<double>(nulls) / rows);
    stats->stawidth =
        rows == nulls ? stats->attrtype->typlen : static_cast<int32>(width / (rows - nulls));
    stats->stadistinct = static_cast<float4>(-1.0 * (1.0 - stats->stanullfrac));
}

bool Analyze(VacAttrStats* stats) {
    const std::int32_t typmod = stats->attrtypmod;
    if (typmod >= 0 && UnpackModifier(typmod).mode == Mode::kDeterministic)
        return std_typanalyze(stats);
    if (stats->attr->attstattarget < 0) stats->attr->attstattarget = default_statistics_target;
    stats->compute_stats = ComputeWidth;
    stats->minrows = 300 * stats->attr->attstattarget;
    return true;
}

}  // namespace
}  // namespace rampart::pg::types

RAMPART_FUNCTION(rampart_typanalyze) {
    PG_RETURN_BOOL(
        rampart::pg::types::Analyze(reinterpret_cast<VacAttrStats*>(PG_GETARG_POINTER(0))));
}
