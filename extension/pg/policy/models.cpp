#include "pg/policy/models.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "interrupt.hpp"
#include "pg/boundary.hpp"
#include "pg/committed.hpp"
#include "pg/policy/rows.hpp"
#include "policy/options.hpp"

extern "C" {
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/memutils.h"
}

namespace rampart::pg::policy {
namespace {

using rampart::policy::Model;
using rampart::policy::PolicySet;
using rampart::policy::PolicySetBuilder;

struct Compiled {
    std::string name;
    PolicySet set;
};
std::vector<std::unique_ptr<const Compiled>> compiled;
Oid sentinel = InvalidOid;
std::uint64_t generation = 1;           // moved by invalidations
std::uint64_t compiled_generation = 0;  // of what is in `compiled`

void OnRelationChange(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == sentinel) ++generation;
}

// Inside the engine, which owns what a longjmp would skip.
void CheckInterrupts() {
    if (!INTERRUPTS_PENDING_CONDITION()) return;
    Call([] {
        CHECK_FOR_INTERRUPTS();
        return true;
    });
}

void AddRules(const RuleRow* rules, std::size_t count, PolicySetBuilder& builder) {
    std::string_view values[kMaxRuleValues];
    for (std::size_t i = 0; i < count; ++i) {
        const RuleRow& rule = rules[i];
        const std::optional<std::size_t> size = TextsOf(rule.values, values);
        if (!size) throw Error(errc::kMalformedPolicy, "a rule has a NULL or too many values");
        builder.Add(rule.type, {values, *size});
    }
}

PolicySet Compile(const ModelRow& row) {
    PolicySetBuilder builder(Model::Parse(row.definition),
                             rampart::policy::ParseOptions(row.options));
    AddRules(row.rules, row.rule_count, builder);
    return builder.Build();
}

// Until no change has come in while it was read.
const PolicySet* Load(std::string_view name) {
    for (;;) {
        const std::uint64_t before = generation;
        const MemoryContext scratch = AllocSetContextCreate(
            CurrentMemoryContext, "rampart policy rows", ALLOCSET_DEFAULT_SIZES);
        const MemoryContext caller = MemoryContextSwitchTo(scratch);
        sentinel = OwnTable("policy_model");
        ModelRow row{};
        const bool found =
            OidIsValid(sentinel) && ReadModel(sentinel, OwnTable("policy_rule"), name, &row);
        MemoryContextSwitchTo(caller);
        if (found && generation == before) {
            compiled.push_back(
                std::make_unique<const Compiled>(Compiled{std::string(name), Compile(row)}));
        }
        MemoryContextDelete(scratch);
        CHECK_FOR_INTERRUPTS();
        if (!found) return nullptr;
        if (generation != before) {
            compiled.clear();
            compiled_generation = generation;
            continue;
        }
        return &compiled.back()->set;
    }
}

}  // namespace

const PolicySet* FindModel(std::string_view name) {
    AcceptInvalidationMessages();
    if (compiled_generation != generation) {
        compiled.clear();
        compiled_generation = generation;
    }
    for (const auto& model : compiled) {
        if (model->name == name) return &model->set;
    }
    return Load(name);
}

const PolicySet& ModelNamed(std::string_view name) {
    if (const PolicySet* set = FindModel(name)) return *set;
    throw Error(errc::kUnknownModel, "there is no policy model \"" + std::string(name) + "\"", {},
                "rampart.load_model loads one.");
}

std::uint64_t ModelsGeneration() {
    AcceptInvalidationMessages();
    return generation;
}

void RegisterModelCallbacks() {
    CacheRegisterRelcacheCallback(OnRelationChange, Datum{0});
    interrupt_check = CheckInterrupts;
}

}  // namespace rampart::pg::policy

RAMPART_FUNCTION(rampart_policy_changed) {
    using namespace rampart::pg;
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw rampart::Error(rampart::errc::kInternal,
                             "policy_changed must be called as a trigger");
    const Oid model = OwnTable("policy_model");
    if (OidIsValid(model)) CacheInvalidateRelcacheByRelid(model);
    return PointerGetDatum(nullptr);
}
