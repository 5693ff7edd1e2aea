// Cases of the policy tests in short: a model and rules, and requests as lines.
//
//   + alice | data1 | read          is allowed
//   - {"Age": 17} | #3 | read       is denied; JSON, and the number 3
//   ! alice | data1                 is an error RMP03 or RMP05
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "policy/policy_set.hpp"
#include "policy/value.hpp"

namespace rampart::policy::test {

// 2026-01-15 12:00:00 UTC, which all requests are made at.
Time Noon();

PolicySet MakeSet(std::string_view model, std::string_view rules, PolicyOptions options = {});

// "alice | data1 | read"
class TestRequest {
  public:
    explicit TestRequest(std::string_view line);
    TestRequest(const TestRequest&) = delete;
    TestRequest& operator=(const TestRequest&) = delete;

    Request Make(std::string_view matcher = "m") const { return {views_, Noon(), matcher, {}}; }

  private:
    std::vector<Value> values_;
    std::vector<ValueView> views_;
};

void ExpectAnswers(const PolicySet& set, std::initializer_list<std::string_view> lines,
                   std::string_view matcher = "m");

// The code and text of the error that `act` throws.
template <typename Act>
std::string ErrorOf(const Act& act) {
    try {
        act();
    } catch (const Error& error) {
        return std::string(error.state().view()) + " " + error.what();
    }
    return "no error";
}

// A model whose matcher is `matcher`, of requests sub, obj, act.
std::string ModelWith(std::string_view matcher,
                      std::string_view effect = "some(where (p.eft == allow))",
                      std::string_view policy = "sub, obj, act");

}  // namespace rampart::policy::test
