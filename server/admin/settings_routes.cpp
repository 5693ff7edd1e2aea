#include "admin/settings_routes.hpp"

#include <algorithm>
#include <functional>

#include "config/setting_value.hpp"
#include "http/exchange.hpp"
#include "http/problem.hpp"
#include "http/schema.hpp"

namespace rampart::server::admin {
namespace {

using http::Exchange;
using http::Problem;
using http::Reply;
using http::Route;
using namespace http::schema;
using nlohmann::json;

constexpr int kLongest = 1000;

struct SchemaOf {
    json operator()(const std::string*) const { return Text(kLongest, 0); }
    json operator()(const IntegerSetting& bounds) const {
        return Integer(bounds.least, bounds.most);
    }
    json operator()(const bool*) const { return Boolean(); }
    json operator()(const std::vector<std::string>*) const { return ListOf(Text(253), 100); }
    json operator()(const Rate*) const { return Text(40); }
    json operator()(const ChoiceSetting& choice) const { return OneOf(choice.choices); }
};

json AnyValue() {
    return {{"type", {"string", "integer", "boolean", "array"}},
            {"maxLength", kLongest},
            {"items", Text(253)},
            {"maxItems", 100}};
}

json ItemSchema() {
    return Object({{"name", Text(100)},
                   {"description", Text(kLongest)},
                   {"value", Nullable(AnyValue())},
                   {"set", Boolean()},
                   {"secret", Boolean()},
                   {"source", OneOf({"default", "file", "environment", "database"})},
                   {"changeable", Boolean()},
                   {"changed_by", Nullable(Uuid())},
                   {"changed_at", Nullable(DateTime())},
                   {"problem", Nullable(Text(kLongest))}});
}

const char* NameOf(Source source) {
    constexpr const char* kNames[] = {"default", "file", "environment", "database"};
    return kNames[static_cast<std::size_t>(source)];
}

bool IsSet(const json& value) { return !value.is_string() || value != ""; }

json ItemOf(const Setting& setting, const MergedSettings& merged, const json& changes) {
    const json value = JsonOf(setting);
    const bool secret = (setting.traits & kSecret) != 0;
    const auto source = merged.configuration.sources.find(setting.name);
    const json change = changes.value(setting.name, json::object());
    const auto problem =
        std::find_if(merged.problems.begin(), merged.problems.end(),
                     [&](const std::string& p) { return p.starts_with(setting.name + ":"); });
    return {{"name", setting.name},
            {"description", setting.description},
            {"value", secret ? json() : value},
            {"set", IsSet(value)},
            {"secret", secret},
            {"source", NameOf(source == merged.configuration.sources.end() ? Source::kDefault
                                                                           : source->second)},
            {"changeable", (setting.traits & kRunTime) != 0},
            {"changed_by", change.value("by", json())},
            {"changed_at", change.value("at", json())},
            {"problem", problem == merged.problems.end() ? json() : json(*problem)}};
}

// As the database has them now, whatever this instance has heard.
Reply List(const LiveSettings& settings, Exchange& exchange) {
    const json stored = exchange.db().Finish("read_settings");
    MergedSettings merged = Merge(settings.started_with(), stored["values"]);
    json items = json::array();
    for (const Setting& setting : Table(merged.configuration.settings))
        items.push_back(ItemOf(setting, merged, stored["changes"]));
    return {200, {{"items", std::move(items)}}};
}

const Setting& Changeable(const std::vector<Setting>& table, const std::string& name) {
    const Setting* setting = FindSetting(table, name);
    if (setting == nullptr) throw Problem("not_found");
    if ((setting->traits & kRunTime) == 0) {
        throw Problem("setting_fixed", name +
                                           " stands in each server's file or environment: it is "
                                           "used before the database is, or names what is on one "
                                           "machine");
    }
    return *setting;
}

// What {name: value} are as text, null where the file's value is to count again.
json TextsOf(const json& changes, const std::function<std::string(const std::string&)>& pointer) {
    Settings scratch;
    const std::vector<Setting> table = Table(scratch);
    json texts = json::object();
    std::vector<http::FieldError> errors;
    for (const auto& [name, value] : changes.items()) {
        const Setting& setting = Changeable(table, name);
        if (value.is_null()) {
            texts[name] = nullptr;
            continue;
        }
        try {
            const std::string text = TextOfJson(value);
            Assign(setting, text);
            texts[name] = text;
        } catch (const ConfigurationError& error) {
            errors.push_back({pointer(name), error.what()});
        }
    }
    if (!errors.empty()) throw Problem("validation_failed").WithErrors(std::move(errors));
    return texts;
}

// A password goes to the relay it was given for: a change of the one takes the other.
void RequirePasswordOf(const MailSettings& before, const MailSettings& after,
                       const MailSettings& started_with, const json& texts) {
    if (after.password.empty() || texts.contains("mail.password") || IsSameRelay(before, after) ||
        IsSameRelay(after, started_with)) {
        return;
    }
    throw Problem("not_possible",
                  "mail.password: is to be given together with another host, port, security or "
                  "username");
}

void Change(const LiveSettings& settings, Exchange& exchange, const json& changes,
            const std::function<std::string(const std::string&)>& pointer) {
    // First of all: it decides whether the caller may.
    json stored = exchange.db().Call("read_settings", {{"to_change", true}})["values"];
    const json texts = TextsOf(changes, pointer);
    const MergedSettings before = Merge(settings.started_with(), stored);
    stored.merge_patch(texts);
    const MergedSettings after = Merge(settings.started_with(), stored);
    for (const std::string& problem : after.problems) {
        if (std::find(before.problems.begin(), before.problems.end(), problem) ==
            before.problems.end())
            throw Problem("not_possible", problem);
    }
    RequirePasswordOf(before.configuration.settings.mail, after.configuration.settings.mail,
                      settings.started_with().settings.mail, texts);
    exchange.db().Finish("change_settings", {{"changes", db::Value(texts.dump())}});
}

Route Changing(const char* method, const char* path, const char* name, const char* summary) {
    Route route = http::Administrative(method, path, name, summary, "update");
    route.step_up = true;
    // The same again is the same; and no digest of a secret is kept.
    route.idempotent = false;
    route.status = 204;
    route.problems = {"not_found", "setting_fixed", "not_possible"};
    return route;
}

json AllChangeable() {
    Settings scratch;
    json properties = json::object();
    std::vector<std::string> names;
    for (const Setting& setting : Table(scratch)) {
        if ((setting.traits & kRunTime) == 0) continue;
        properties[setting.name] = Nullable(std::visit(SchemaOf{}, setting.target));
        properties[setting.name]["description"] = setting.description;
        names.push_back(setting.name);
    }
    return Object(std::move(properties), names);
}

}  // namespace

std::vector<Route> SettingsRoutes(const LiveSettings& settings) {
    Route list = http::Administrative("GET", "/admin/settings", "listSettings",
                                      "All settings: values of those that are no secrets, and "
                                      "where each comes from",
                                      "read");
    list.response = Page(ItemSchema());
    list.handler = [&settings](Exchange& exchange) { return List(settings, exchange); };

    Route change = Changing("PATCH", "/admin/settings", "changeSettings",
                            "Changes several settings together, on all servers; null: back "
                            "to the file's");
    change.body = AllChangeable();
    change.handler = [&settings](Exchange& exchange) {
        Change(settings, exchange, exchange.body,
               [](const std::string& name) { return "/" + name; });
        return Reply{204, nullptr};
    };

    Route put = Changing("PUT", "/admin/settings/{setting}", "putSetting",
                         "Changes a setting on all servers");
    put.body = Object({{"value", AnyValue()}});
    put.handler = [&settings](Exchange& exchange) {
        Change(settings, exchange, {{exchange.path.at("setting"), exchange.body["value"]}},
               [](const std::string&) { return "/value"; });
        return Reply{204, nullptr};
    };

    Route remove = Changing("DELETE", "/admin/settings/{setting}", "removeSetting",
                            "Has a setting be what each server's file says");
    remove.handler = [&settings](Exchange& exchange) {
        Change(settings, exchange, {{exchange.path.at("setting"), nullptr}},
               [](const std::string&) { return ""; });
        return Reply{204, nullptr};
    };
    return {list, change, put, remove};
}

}  // namespace rampart::server::admin
