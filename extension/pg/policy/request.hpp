// Requests as SQL passes them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pg/policy/json_value.hpp"
#include "pg/policy/rows.hpp"
#include "policy/policy_set.hpp"
#include "policy/value.hpp"

namespace rampart::pg::policy {

namespace core = rampart::policy;

// When the statement began.
core::Time Now();

// Of a text[]: views of it, so it must stay.
class TextRequest {
  public:
    // Error RMP05 for an array that is none, RMP04 for values that are too long.
    explicit TextRequest(ArrayType* array);

    // A value is unknown: nothing is allowed then.
    bool has_null() const { return has_null_; }
    std::span<const core::ValueView> values() const { return std::span(views_).first(count_); }

  private:
    std::array<core::ValueView, kMaxRuleValues> views_;
    std::size_t count_ = 0;
    bool has_null_ = false;
};

// Of a jsonb: an array of the values, or an object by the names of the request definition of
// `matcher`.
class JsonRequest {
  public:
    // Errors RMP04, RMP05.
    JsonRequest(const core::PolicySet& set, std::string_view matcher, Jsonb* json);
    JsonRequest(const JsonRequest&) = delete;
    JsonRequest& operator=(const JsonRequest&) = delete;

    std::span<const core::ValueView> values() const { return views_; }

  private:
    void ReadObject(const core::Value::Object& object, const core::FieldDefinition& definition);

    core::Value whole_;
    std::vector<core::ValueView> views_;
};

}  // namespace rampart::pg::policy
