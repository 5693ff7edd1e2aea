#include "pg/policy/request.hpp"

#include "error.hpp"
#include "policy/limits.hpp"
#include "policy/policy_data.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::policy {
namespace {

[[noreturn]] void Fail(const std::string& message) {
    throw Error(errc::kMalformedRequest, message);
}

}  // namespace

core::Time Now() {
    constexpr std::int64_t kEpochs =
        std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    return core::Time(std::chrono::microseconds(GetCurrentStatementStartTimestamp() + kEpochs));
}

TextRequest::TextRequest(ArrayType* array) : has_null_(ARR_HASNULL(array)) {
    if (has_null_) return;
    std::string_view texts[kMaxRuleValues];
    const std::optional<std::size_t> count = TextsOf(array, texts);
    if (!count) Fail("a request is a list of texts, and not too many");
    count_ = *count;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        views_[i] = core::ValueView(texts[i]);
        size += texts[i].size();
    }
    core::RequireWithin(size, core::kMaxRequestText, "the text of the request");
}

JsonRequest::JsonRequest(const core::PolicySet& set, std::string_view matcher, Jsonb* json)
    : whole_(ValueOf(json)) {
    if (const auto* list = whole_.As<core::Value::List>()) {
        views_.reserve(list->size());
        for (const core::Value& value : *list) views_.emplace_back(value);
        return;
    }
    const auto* object = whole_.As<core::Value::Object>();
    if (object == nullptr) Fail("a request is an array of values, or an object");
    const core::PolicyData& data = set.data();
    const core::CompiledMatcher* found = core::FindByName(data.matchers, matcher);
    if (found == nullptr) Fail("the model has no matcher '" + std::string(matcher) + "'");
    ReadObject(*object, data.model.requests[found->request]);
}

void JsonRequest::ReadObject(const core::Value::Object& object,
                             const core::FieldDefinition& definition) {
    views_.reserve(definition.fields.size());
    for (const std::string& field : definition.fields) {
        const core::Value* value = whole_.Find(field);
        if (value == nullptr) Fail("the request has no '" + field + "'");
        views_.emplace_back(*value);
    }
    if (object.size() != views_.size()) {
        Fail("a request of '" + definition.name + "' has " + std::to_string(views_.size()) +
             " values, this one " + std::to_string(object.size()));
    }
}

}  // namespace rampart::pg::policy
