#include "pg/policy/explanation.hpp"

#include "pg/audit/json.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace rampart::pg::policy {
namespace {

namespace core = rampart::policy;

// Holds nothing: it is used inside Call().
class Writer {
  public:
    void Open(JsonbIteratorToken token) { pushJsonbValue(&state_, token, nullptr); }
    JsonbValue* Close(JsonbIteratorToken token) { return pushJsonbValue(&state_, token, nullptr); }
    void Key(std::string_view name) { audit::PushKey(&state_, name.data(), name.size()); }
    void Text(JsonbIteratorToken token, std::string_view text) {
        audit::PushString(&state_, token, text.data(), text.size());
    }
    void Bool(bool value) {
        JsonbValue json;
        json.type = jbvBool;
        json.val.boolean = value;
        pushJsonbValue(&state_, WJB_VALUE, &json);
    }
    void Texts(const std::vector<std::string>& texts) {
        for (const std::string& text : texts) Text(WJB_ELEM, text);
    }

  private:
    JsonbParseState* state_ = nullptr;
};

void WriteRule(Writer& writer, const std::string& type, const core::MatchedRule& rule) {
    writer.Key("type");
    writer.Text(WJB_VALUE, type);
    writer.Key("rule");
    writer.Open(WJB_BEGIN_ARRAY);
    writer.Texts(rule.values);
    writer.Close(WJB_END_ARRAY);
    writer.Key("roles");
    writer.Open(WJB_BEGIN_ARRAY);
    for (const core::RolePath& path : rule.roles) {
        writer.Open(WJB_BEGIN_ARRAY);
        writer.Text(WJB_ELEM, path.definition);
        writer.Texts(path.names);
        writer.Close(WJB_END_ARRAY);
    }
    writer.Close(WJB_END_ARRAY);
}

void WriteMiss(Writer& writer, const std::string& type, const core::NearMiss& miss) {
    writer.Key("miss");
    writer.Open(WJB_BEGIN_OBJECT);
    WriteRule(writer, type, miss.rule);
    writer.Key("lacking");
    writer.Open(WJB_BEGIN_ARRAY);
    writer.Texts(miss.lacking);
    writer.Close(WJB_END_ARRAY);
    writer.Close(WJB_END_OBJECT);
}

JsonbValue* Write(const core::Explanation& explanation) {
    Writer writer;
    writer.Open(WJB_BEGIN_OBJECT);
    writer.Key("allowed");
    writer.Bool(explanation.allowed);
    if (explanation.rule) {
        writer.Key("rule");
        writer.Open(WJB_BEGIN_OBJECT);
        WriteRule(writer, explanation.definition, *explanation.rule);
        writer.Close(WJB_END_OBJECT);
    }
    writer.Key("matched");
    writer.Open(WJB_BEGIN_ARRAY);
    for (const core::MatchedRule& rule : explanation.matched) {
        writer.Open(WJB_BEGIN_OBJECT);
        WriteRule(writer, explanation.definition, rule);
        writer.Close(WJB_END_OBJECT);
    }
    writer.Close(WJB_END_ARRAY);
    if (explanation.miss) WriteMiss(writer, explanation.definition, *explanation.miss);
    return writer.Close(WJB_END_OBJECT);
}

}  // namespace

Datum ToJsonb(const core::Explanation& explanation) {
    return Call([&] { return JsonbPGetDatum(JsonbValueToJsonb(Write(explanation))); });
}

}  // namespace rampart::pg::policy
