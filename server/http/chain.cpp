#include "http/chain.hpp"

#include <chrono>
#include <thread>

#include "db/internal.hpp"
#include "http/problem.hpp"
#include "ops/log.hpp"

namespace rampart::server::http {
namespace {

db::Arguments BeginArguments(const Exchange& exchange) {
    const auto or_null = [](const std::string& text) {
        return text.empty() ? db::Value() : db::Value(text);
    };
    const Permission& permission = exchange.route->permission;
    const bool guarded = exchange.route->access == Access::kPermission;
    // Who has left the organisation of their token can still log out.
    const bool own = exchange.token && exchange.organisation == exchange.token->organisation;
    return {{"request_id", exchange.request_id},
            {"ip", exchange.client_ip},
            {"user_agent", exchange.UserAgent()},
            {"session", exchange.token ? db::Value(exchange.token->session) : db::Value()},
            {"api_key", exchange.api_key_hash.empty() ? db::Value()
                                                      : db::Value(AsBytes(exchange.api_key_hash))},
            {"org", or_null(exchange.organisation)},
            {"resource", guarded ? db::Value(permission.resource) : db::Value()},
            {"action", guarded ? db::Value(permission.action) : db::Value()},
            {"whose", guarded ? db::Value(permission.whose) : db::Value()},
            {"org_required", guarded || !own}};
}

void Write(const Reply& reply, httplib::Response& response) {
    response.status = reply.status;
    for (const auto& [name, value] : reply.headers) {
        if (name != "Set-Cookie") response.headers.erase(name);
        response.set_header(name, value);
    }
    if (!reply.text.empty()) {
        response.set_content(reply.text, reply.content_type.c_str());
    } else if (!reply.body.is_null()) {
        response.set_content(reply.body.dump(), "application/json");
    }
}

Reply ReplyOf(const Problem& problem, const std::string& request_id) {
    Reply reply{problem.status(), problem.Body(request_id)};
    reply.text = reply.body.dump();
    reply.content_type = "application/problem+json";
    if (problem.retry_after())
        reply.headers.emplace_back("Retry-After", std::to_string(*problem.retry_after()));
    if (!problem.allow().empty()) reply.headers.emplace_back("Allow", problem.allow());
    if (problem.status() == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
}

}  // namespace

void Chain::Handle(const httplib::Request& request, httplib::Response& response) const {
    const auto began = std::chrono::steady_clock::now();
    Exchange exchange(request, response);
    exchange.settings = settings_.Current();
    Reply reply;
    try {
        reply = Run(exchange);
    } catch (const Problem& problem) {
        reply = ReplyOf(problem, exchange.request_id);
    } catch (const std::exception& error) {
        ops::LogFailure(exchange.request_id, error.what());
        reply = ReplyOf(Problem("internal_error"), exchange.request_id);
    }
    exchange.transaction.reset();
    if (exchange.route != nullptr) std::this_thread::sleep_until(began + exchange.route->least);
    Write(reply, response);
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began);
    ops::LogRequest(exchange, reply.status, took.count());
    metrics_.Count(exchange.route == nullptr ? "none" : exchange.route->name, reply.status,
                   took.count());
}

Reply Chain::Run(Exchange& exchange) const {
    for (const Guard& guard : guards_) {
        guard(exchange);
        if (exchange.response.status == 204) return {204, nullptr};
    }
    exchange.transaction.emplace(pool_, BeginArguments(exchange));
    if (exchange.route->step_up) {
        exchange.db().Before({"SELECT rampart_auth.prove_recently()", {}});
    }
    PrepareIdempotency(exchange);
    try {
        return Answer(exchange);
    } catch (const Problem&) {
        if (exchange.db().sqlstate() == "RMU10") return Replay(exchange);
        throw;
    }
}

Reply Chain::Answer(Exchange& exchange) const {
    Reply reply = exchange.route->handler(exchange);
    // Nobody was asked whether this may be, so nobody learns what came of it.
    const bool decided = exchange.route->access == Access::kPublic || exchange.db().has_begun() ||
                         (exchange.route->access == Access::kSelf && exchange.checked);
    if (!decided) throw std::logic_error("a handler went past the policy");
    if (!exchange.idempotency_key.empty()) {
        exchange.db().Call(
            "keep_answer",
            {{"key", db::Value(AsBytes(exchange.idempotency_key))},
             {"status", reply.status},
             {"body", reply.body.is_null() ? db::Value() : db::Value(reply.body.dump())}});
    }
    exchange.db().Commit();
    return reply;
}

Reply Chain::Replay(Exchange& exchange) const {
    exchange.transaction.reset();
    const nlohmann::json kept = db::CallAsServer(
        pool_, "replay_answer", {{"key", db::Value(AsBytes(exchange.idempotency_key))}});
    Reply reply{kept.at("status"), nullptr, {{"Idempotency-Replayed", "true"}}, {}, {}};
    if (kept["body"].is_string())
        reply.body = nlohmann::json::parse(kept["body"].get<std::string>());
    return reply;
}

}  // namespace rampart::server::http
