// What a decision of the policy engine costs, and what loading rules does, at four sizes: CPU time,
// the best of several rounds. A size counts rules and role links together, ten links a rule.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "policy/csv.hpp"
#include "policy/policy_set.hpp"

namespace {

using namespace rampart::policy;

constexpr double kMaxDecision = 500;  // ns
constexpr double kMaxLoad = 300;      // ms, of the largest size
constexpr std::size_t kSizes[] = {5, 1'100, 11'000, 110'000};
constexpr int kDecisions = 100'000;
constexpr int kRounds = 7;
constexpr int kLoads = 3;
constexpr std::size_t kRequests = 64;

double CpuNanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::string ModelText(const char* request, const char* policy, const char* roles,
                      const char* matcher) {
    return std::string("[request_definition]\nr = ") + request +
           "\n[policy_definition]\np = " + policy + roles +
           "\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = " + matcher;
}

std::string N(const char* name, std::size_t number) { return name + std::to_string(number); }

// A request's values, and what its views are of.
using Values = std::vector<Value>;
Value Text(std::string text) { return Value(std::move(text)); }

struct Scenario {
    const char* name;
    std::string model;
    std::string (*rules)(std::size_t size);
    Values (*request)(std::size_t size, std::size_t number, bool allowed);
};

std::size_t RolesOf(std::size_t size) { return std::max<std::size_t>(1, size / 11); }
std::size_t UsersOf(std::size_t size) { return size - RolesOf(size); }

// Each role may read one thing; each user has one role.
std::string RbacRules(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < RolesOf(size); ++i) {
        text += N("p, group", i) + N(", data", i / 10) + ", read\n";
    }
    for (std::size_t i = 0; i < UsersOf(size); ++i) {
        text += N("g, user", i) + N(", group", i % RolesOf(size)) + "\n";
    }
    return text;
}
Values RbacRequest(std::size_t size, std::size_t number, bool allowed) {
    const std::size_t user = number * 7919 % UsersOf(size);
    return {Text(N("user", user)), Text(N("data", user % RolesOf(size) / 10)),
            Text(allowed ? "read" : "write")};
}

// The same in a domain a role.
std::string DomainRules(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < RolesOf(size); ++i) {
        text += N("p, group", i) + N(", domain", i / 10) + N(", data", i / 10) + ", read\n";
    }
    for (std::size_t i = 0; i < UsersOf(size); ++i) {
        const std::size_t role = i % RolesOf(size);
        text += N("g, user", i) + N(", group", role) + N(", domain", role / 10) + "\n";
    }
    return text;
}
Values DomainRequest(std::size_t size, std::size_t number, bool allowed) {
    const std::size_t user = number * 7919 % UsersOf(size);
    const std::size_t place = user % RolesOf(size) / 10;
    return {Text(N("user", user)), Text(N("domain", place)), Text(N("data", place)),
            Text(allowed ? "read" : "write")};
}

// A condition on an attribute a thing.
std::string AbacRules(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += N("p, r.sub.Age > ", 18 + i % 50) + N(", data", i) + ", read\n";
    }
    return text;
}
Values AbacRequest(std::size_t size, std::size_t number, bool allowed) {
    const Value subject =
        Value::Of({{"Name", Text("alice")}, {"Age", Value(allowed ? 90.0 : 9.0)}});
    return {subject, Text(N("data", number * 7919 % size)), Text("read")};
}

const std::vector<Scenario>& Scenarios() {
    static const std::vector<Scenario> scenarios = {
        {"RBAC",
         ModelText("sub, obj, act", "sub, obj, act", "\n[role_definition]\ng = _, _",
                   "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"),
         RbacRules, RbacRequest},
        {"RBAC with domains",
         ModelText("sub, dom, obj, act", "sub, dom, obj, act", "\n[role_definition]\ng = _, _, _",
                   "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act"),
         DomainRules, DomainRequest},
        {"ABAC",
         ModelText("sub, obj, act", "sub_rule, obj, act", "",
                   "eval(p.sub_rule) && r.obj == p.obj && r.act == p.act"),
         AbacRules, AbacRequest},
    };
    return scenarios;
}

PolicySet Load(const Scenario& scenario, const std::string& rules) {
    PolicySetBuilder builder(Model::Parse(scenario.model));
    AddPolicyCsv(rules, builder);
    return builder.Build();
}

double MeasureDecisions(const PolicySet& set, const Scenario& scenario, std::size_t size,
                        bool allowed) {
    std::vector<Values> values;
    std::vector<std::vector<ValueView>> requests;
    for (std::size_t i = 0; i < kRequests; ++i) {
        values.push_back(scenario.request(size, i, allowed));
    }
    for (const Values& one : values) requests.emplace_back(one.begin(), one.end());
    double best = std::numeric_limits<double>::max();
    for (int round = 0; round < kRounds; ++round) {
        const double start = CpuNanoseconds();
        for (std::size_t i = 0; i < kDecisions; ++i) {
            if (set.Decide({requests[i % kRequests], Time()}) != allowed) {
                (void)std::fputs("a benchmarked decision is wrong\n", stderr);
                std::exit(1);
            }
        }
        best = std::min(best, (CpuNanoseconds() - start) / kDecisions);
    }
    return best;
}

// Milliseconds, from the text of the rules to the first decision.
double MeasureLoad(const Scenario& scenario, const std::string& rules) {
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < kLoads; ++i) {
        const double start = CpuNanoseconds();
        const PolicySet set = Load(scenario, rules);
        best = std::min(best, (CpuNanoseconds() - start) / 1e6);
    }
    return best;
}

}  // namespace

int main() {
    double slowest = 0;
    double longest = 0;
    std::printf(
        "| model | rules | load, ms | allowed, ns | denied, ns |\n|---|---:|---:|---:|---:|\n");
    for (const Scenario& scenario : Scenarios()) {
        for (const std::size_t size : kSizes) {
            const std::string rules = scenario.rules(size);
            const PolicySet set = Load(scenario, rules);
            const double load = MeasureLoad(scenario, rules);
            const double allowed = MeasureDecisions(set, scenario, size, true);
            const double denied = MeasureDecisions(set, scenario, size, false);
            std::printf("| %s | %zu | %.1f | %.0f | %.0f |\n", scenario.name, size, load, allowed,
                        denied);
            slowest = std::max({slowest, allowed, denied});
            longest = std::max(longest, load);
        }
    }
    std::printf("\n| goal | bound | result |  |\n|---|---:|---:|---:|\n");
    std::printf("| a decision at any size, ns | \u2264 %.0f | %.0f | %s |\n", kMaxDecision, slowest,
                slowest <= kMaxDecision ? "met" : "**not met**");
    std::printf("| loading 110,000 rules, ms | \u2264 %.0f | %.0f | %s |\n", kMaxLoad, longest,
                longest <= kMaxLoad ? "met" : "**not met**");
    return 0;
}
