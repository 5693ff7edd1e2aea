// rampart.needless_policies.
#include "policy/review.hpp"

#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/policy/models.hpp"
#include "pg/policy/request.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
}

namespace rampart::pg::policy {
namespace {

Datum ToArray(const std::vector<std::string>& values) {
    Datum texts[kMaxRuleValues];
    for (std::size_t i = 0; i < values.size(); ++i) texts[i] = functions::Text(values[i]);
    return PointerGetDatum(
        construct_array(texts, static_cast<int>(values.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

void Put(FunctionCallInfo fcinfo, const core::NeedlessRule& rule) {
    Call([&] {
        CHECK_FOR_INTERRUPTS();
        auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        bool nulls[] = {false, false, rule.covered_by.empty()};
        Datum row[] = {functions::Text(rule.type), ToArray(rule.values), Datum{0}};
        if (!nulls[2]) row[2] = ToArray(rule.covered_by);
        tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
        return true;
    });
}

}  // namespace
}  // namespace rampart::pg::policy

namespace policy = rampart::pg::policy;

RAMPART_FUNCTION(rampart_needless_policies) {
    InitMaterializedSRF(fcinfo, 0);
    const policy::core::PolicySet& set =
        policy::ModelNamed(rampart::pg::functions::TextArgument(fcinfo, 0));
    for (const auto& rule : policy::core::FindNeedlessRules(set, policy::Now())) {
        policy::Put(fcinfo, rule);
    }
    return Datum{0};
}
