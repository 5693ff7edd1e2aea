// Rules on their way into the tables and out of them: see sql/rampart/86_policy.sql.
#include <string>

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/committed.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/policy/models.hpp"
#include "pg/policy/rows.hpp"
#include "policy/csv.hpp"
#include "policy/options.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"
}

namespace rampart::pg::policy {
namespace {

namespace core = rampart::policy;

// The first two arguments: the definition of a model and its options.
core::PolicySetBuilder BuilderOf(FunctionCallInfo fcinfo) {
    const std::string_view definition = functions::TextArgument(fcinfo, 0);
    Jsonb* options = PG_GETARG_JSONB_P(1);
    const char* text = JsonbToCString(nullptr, &options->root, VARSIZE(options));
    return core::PolicySetBuilder(core::Model::Parse(definition), core::ParseOptions(text));
}

void RequireNoProblem(const core::PolicySet& set) {
    const std::vector<std::string> problems = set.Problems();
    if (!problems.empty()) throw Error(errc::kMalformedPolicy, problems.front());
}

void CheckRule(FunctionCallInfo fcinfo) {
    const std::string_view type = functions::TextArgument(fcinfo, 2);
    ArrayType* values = PG_GETARG_ARRAYTYPE_P(3);
    std::string_view texts[kMaxRuleValues];
    const std::optional<std::size_t> count = TextsOf(values, texts);
    if (!count)
        throw Error(errc::kMalformedPolicy,
                    "the values of a rule are a list of texts, without NULL");
    core::PolicySetBuilder builder = BuilderOf(fcinfo);
    builder.Add(type, {texts, *count});
    RequireNoProblem(builder.Build());
}

void PutRule(FunctionCallInfo fcinfo, std::string_view type,
             std::span<const std::string_view> values) {
    Call([&] {
        CHECK_FOR_INTERRUPTS();
        Datum elements[kMaxRuleValues];
        for (std::size_t i = 0; i < values.size(); ++i) elements[i] = functions::Text(values[i]);
        ArrayType* rule = construct_array(elements, static_cast<int>(values.size()), TEXTOID, -1,
                                          false, TYPALIGN_INT);
        auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        Datum row[] = {functions::Text(type), PointerGetDatum(rule)};
        bool nulls[] = {false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
        return true;
    });
}

void ReadCsv(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    const std::string_view csv = functions::TextArgument(fcinfo, 2);
    core::PolicySetBuilder builder = BuilderOf(fcinfo);
    core::ParsePolicyCsv(csv, [&](std::string_view type, std::span<const std::string_view> values) {
        builder.Add(type, values);
        PutRule(fcinfo, type, values);
    });
    RequireNoProblem(builder.Build());
}

std::string Format(FunctionCallInfo fcinfo) {
    std::string_view texts[kMaxRuleValues];
    const std::optional<std::size_t> count = TextsOf(PG_GETARG_ARRAYTYPE_P(1), texts);
    if (!count)
        throw Error(errc::kMalformedPolicy,
                    "the values of a rule are a list of texts, without NULL");
    return core::FormatRule(functions::TextArgument(fcinfo, 0), {texts, *count});
}

}  // namespace
}  // namespace rampart::pg::policy

namespace policy = rampart::pg::policy;

RAMPART_FUNCTION(rampart_check_policy_rule) {
    policy::CheckRule(fcinfo);
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_read_policy_csv) {
    policy::ReadCsv(fcinfo);
    return Datum{0};
}
RAMPART_FUNCTION(rampart_format_policy_rule) {
    std::string line = policy::Format(fcinfo);
    line.pop_back();  // the newline
    return rampart::pg::Call([&] { return rampart::pg::functions::Text(line); });
}
// Not an advisory lock: anybody could take that, and keep a right from being revoked.
RAMPART_FUNCTION(rampart_lock_model) {
    const std::string_view name = rampart::pg::functions::TextArgument(fcinfo, 0);
    const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
    LockDatabaseObject(rampart::pg::OwnTable("policy_model"),
                       hash_bytes(bytes, static_cast<int>(name.size())), 0, ExclusiveLock);
    PG_RETURN_VOID();
}
RAMPART_FUNCTION(rampart_compile_model) {
    (void)policy::ModelNamed(rampart::pg::functions::TextArgument(fcinfo, 0));
    PG_RETURN_VOID();
}
