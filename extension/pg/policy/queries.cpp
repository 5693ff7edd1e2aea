// What else a model can be asked: rampart.permitted, subjects_permitted, roles_of, members_of.
#include "policy/queries.hpp"

#include "error.hpp"
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

void Put(FunctionCallInfo fcinfo, Datum value) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    bool null = false;
    tuplestore_putvalues(result->setResult, result->setDesc, &value, &null);
}

void PutNames(FunctionCallInfo fcinfo, const core::Queries::Names& names) {
    for (const std::string& name : names) {
        Call([&] {
            CHECK_FOR_INTERRUPTS();
            Put(fcinfo, functions::Text(name));
            return true;
        });
    }
}

void PutRules(FunctionCallInfo fcinfo, const core::Queries::Rules& rules) {
    for (const core::Queries::Rule& rule : rules) {
        Call([&] {
            CHECK_FOR_INTERRUPTS();
            Datum values[kMaxRuleValues];
            for (std::size_t i = 0; i < rule.size(); ++i) values[i] = functions::Text(rule[i]);
            Put(fcinfo, PointerGetDatum(construct_array(values, static_cast<int>(rule.size()),
                                                        TEXTOID, -1, false, TYPALIGN_INT)));
            return true;
        });
    }
}

void Begin(FunctionCallInfo fcinfo) { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); }

// (model, name, domain): the domain may be NULL.
struct NameQuestion {
    const core::PolicySet& set;
    std::string_view name;
    core::Queries::Domain domain;
};

NameQuestion NameQuestionOf(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        throw Error(errc::kInvalidParameter, "a model and a name are needed");
    const std::string_view model = functions::TextArgument(fcinfo, 0);
    const std::string_view name = functions::TextArgument(fcinfo, 1);
    core::Queries::Domain domain;
    if (!PG_ARGISNULL(2)) domain = functions::TextArgument(fcinfo, 2);
    return {ModelNamed(model), name, domain};
}

}  // namespace
}  // namespace rampart::pg::policy

namespace policy = rampart::pg::policy;

RAMPART_FUNCTION(rampart_permitted) {
    policy::Begin(fcinfo);
    const policy::NameQuestion question = policy::NameQuestionOf(fcinfo);
    const policy::core::Queries queries(question.set, policy::Now());
    policy::PutRules(fcinfo, queries.AllRulesOf(question.name, question.domain));
    return Datum{0};
}
RAMPART_FUNCTION(rampart_roles_of) {
    policy::Begin(fcinfo);
    const policy::NameQuestion question = policy::NameQuestionOf(fcinfo);
    const policy::core::Queries queries(question.set, policy::Now());
    policy::PutNames(fcinfo, queries.AllRolesOf(question.name, question.domain));
    return Datum{0};
}
RAMPART_FUNCTION(rampart_members_of) {
    policy::Begin(fcinfo);
    const policy::NameQuestion question = policy::NameQuestionOf(fcinfo);
    const policy::core::Queries queries(question.set, policy::Now());
    policy::PutNames(fcinfo, queries.AllMembersOf(question.name, question.domain));
    return Datum{0};
}
RAMPART_FUNCTION(rampart_subjects_permitted) {
    policy::Begin(fcinfo);
    const std::string_view model = rampart::pg::functions::TextArgument(fcinfo, 0);
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(1);
    const policy::core::PolicySet& set = policy::ModelNamed(model);
    const policy::TextRequest permission(array);
    if (permission.has_null()) return Datum{0};
    const policy::core::Queries queries(set, policy::Now());
    policy::PutNames(fcinfo, queries.SubjectsAllowed(permission.values()));
    return Datum{0};
}
