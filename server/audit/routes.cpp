#include "audit/routes.hpp"

#include "http/schema.hpp"

namespace rampart::server::audit {

using http::Access;
using http::CallFunction;
using http::Route;
using namespace http::schema;
using nlohmann::json;

std::vector<Route> Routes() {
    const json object = {{"type", json::array({"object", "null"})}};
    const json entry = Object({{"id", Text(20)},
                               {"at", DateTime()},
                               {"event", Text(63)},
                               {"severity", Text(10)},
                               {"actor", Nullable(Text(200))},
                               {"ip", Nullable(Text(45))},
                               {"user_agent", Nullable(Text(500, 0))},
                               {"request_id", Nullable(Text(64))},
                               {"relation", Nullable(Text(200))},
                               {"operation", Nullable(Text(20))},
                               {"metadata", object}});
    std::vector<Route> routes = {
        {"GET",
         "/audit/events",
         "listEvents",
         "The organisation's audit log, newest first",
         Access::kPermission,
         {"audit_log", "read", "all"}},
        {"GET",
         "/audit/proof/{number}",
         "proveEvent",
         "An entry with the proof that it is in the sealed log, for rampart-verify",
         Access::kPermission,
         {"audit_log", "read", "all"}},
        {"GET",
         "/audit/export",
         "exportEvents",
         "The organisation's audit log with all that entries hold, oldest first",
         Access::kPermission,
         {"audit_log", "read", "all"}},
        {"GET",
         "/audit/heads",
         "listHeads",
         "The log's signed checkpoints and their public keys",
         Access::kPermission,
         {"audit_log", "read", "all"}},
    };
    Route* r = routes.data();
    r[0].query = Object({{"before", Text(18)},
                         {"event", Text(63)},
                         {"actor", Text(200)},
                         {"since", DateTime()},
                         {"until", DateTime()},
                         {"page", Integer(1, 200)}},
                        {"before", "event", "actor", "since", "until", "page"});
    r[0].response = Page(entry, true);
    r[0].handler = CallFunction("list_events");
    r[1].response = {{"type", "object"}};
    r[1].problems = {"not_found"};
    r[1].handler = CallFunction("prove_event");
    r[2].query = Object({{"after", Text(18)},
                         {"since", DateTime()},
                         {"until", DateTime()},
                         {"page", Integer(1, 1000)}},
                        {"after", "since", "until", "page"});
    r[2].response = Page({{"type", "object"}}, true);
    r[2].handler = CallFunction("export_events");
    r[2].no_api_keys = r[2].step_up = true;
    r[3].query = Object({{"before", Text(18)}, {"page", Integer(1, 200)}}, {"before", "page"});
    r[3].response =
        Page(Object({{"number", Text(20)}, {"at", DateTime()}, {"note", Text(4000)}}), true);
    r[3].response["properties"]["keys"] = ListOf(Text(400), 1000);
    r[3].response["required"].push_back("keys");
    r[3].handler = CallFunction("list_heads");
    return routes;
}

}  // namespace rampart::server::audit
