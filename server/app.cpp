#include "app.hpp"

#include <chrono>
#include <stdexcept>

#include "admin/routes.hpp"
#include "admin/settings_routes.hpp"
#include "audit/routes.hpp"
#include "auth/mfa/routes.hpp"
#include "auth/session_cookies.hpp"
#include "crypto/random.hpp"
#include "db/internal.hpp"
#include "db/migrate.hpp"
#include "http/openapi.hpp"
#include "http/problem.hpp"
#include "http/schema.hpp"
#include "mail/configuration.hpp"
#include "ops/log.hpp"
#include "orgs/routes.hpp"
#include "rbac/routes.hpp"
#include "sms/configuration.hpp"

namespace rampart::server {
namespace {

constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::minutes kCleaning{5};

// Until the database answers. What is wrong with its contents is for the administrator.
const std::string& WaitForDatabase(const std::string& conninfo) {
    for (;;) {
        try {
            const std::vector<std::string> missing = db::Missing(conninfo);
            if (!missing.empty())
                throw std::runtime_error("the database lacks " + missing.front() +
                                         ": run rampartd migrate");
            return conninfo;
        } catch (const db::ConnectionError& error) {
            ops::LogDatabaseError("08000", error.what());
            std::this_thread::sleep_for(kTryAgain);
        }
    }
}

http::Route DocumentRoute(const nlohmann::json& document) {
    http::Route route{"GET", "/openapi.json", "openApi", "This document", http::Access::kPublic};
    route.response = {{"type", "object"}};
    route.handler = [&document](http::Exchange&) {
        return http::Reply{200, document, {{"Cache-Control", "public, max-age=300"}}, {}, {}};
    };
    return route;
}

std::unique_ptr<outbox::Courier> CourierOf(const MailSettings& settings) {
    if (settings.host.empty()) return nullptr;
    return std::make_unique<mail::MailCourier>(mail::OptionsOf(settings));
}

std::unique_ptr<outbox::Courier> SmsCourierOf(const Settings& settings) {
    if (!settings.sms.offered()) return nullptr;
    return std::make_unique<sms::SmsCourier>(sms::OptionsOf(settings));
}

}  // namespace

std::vector<http::Route> AllRoutes(const auth::Service& service, const LiveSettings& settings,
                                   const nlohmann::json& document,
                                   const std::vector<http::Route>& all) {
    std::vector<http::Route> routes{DocumentRoute(document)};
    for (std::vector<http::Route>& group : std::vector<std::vector<http::Route>>{
             auth::Routes(service), mfa::Routes(service), orgs::Routes(), rbac::Routes(all),
             audit::Routes(), admin::Routes(), admin::SettingsRoutes(settings)}) {
        for (http::Route& route : group) routes.push_back(std::move(route));
    }
    http::CheckRoutes(routes);
    return routes;
}

App::App(const Configuration& configuration)
    : settings_(configuration.settings),
      pool_(WaitForDatabase(settings_.database.connection), settings_.database.connections,
            std::chrono::milliseconds(settings_.database.wait_ms)),
      live_settings_(pool_, configuration),
      mail_(pool_, "mail"),
      sms_(pool_, "sms"),
      changes_(settings_.database.connection),
      signing_keys_(pool_, settings_),
      tokens_(signing_keys_, settings_),
      changed_sessions_(pool_, changes_, settings_),
      hasher_(settings_.password),
      hash_pool_(settings_.password.hash_threads, settings_.password.hash_queue,
                 settings_.http.threads / 2),
      service_{pool_,
               signing_keys_,
               tokens_,
               changed_sessions_,
               hasher_,
               hash_pool_,
               SharedSecret("rotation"),
               SharedSecret("csrf")},
      login_watch_(pool_, live_settings_),
      rate_limiter_(pool_),
      routes_(AllRoutes(service_, live_settings_, document_, routes_)),
      management_(settings_.http, metrics_, [this] { return changes_.connected(); }),
      housekeeping_(
          {{[] { return kCleaning; }, [this] { db::CallAsServer(pool_, "clean_up"); }},
           {[this] { return login_watch_.Interval(); }, [this] { login_watch_.Look(); }}}) {
    document_ = http::OpenApi(routes_, settings_.PublicUrl());
    FollowChanges();
    signing_keys_.Reload();
    router_ = std::make_unique<http::Router>(routes_);
    chain_ = std::make_unique<http::Chain>(Guards(), live_settings_, pool_, metrics_);
    AddGauges();
    listener_ = std::make_unique<http::Listener>(
        settings_.http,
        [this](const httplib::Request& request, httplib::Response& response) {
            chain_->Handle(request, response);
        },
        [this](const http::Refusal& refusal, const std::string& trace_id,
               const std::string& client) {
            ops::LogRefusal(refusal.code, trace_id, client);
            metrics_.CountRefusal(refusal.code);
        });
    // Last: nothing that throws comes after what has to be stopped.
    mail_.Start();
    sms_.Start();
    changes_.Start();
}

void App::FollowChanges() {
    // Refuses to start where the file's own relay is none; what the database says was checked.
    CourierOf(settings_.mail);
    live_settings_.Reload();
    sms_.Use(SmsCourierOf(settings_));
    live_settings_.Follow([this](const Settings& now) { mail_.Use(CourierOf(now.mail)); });
    const auto on = [this](std::string_view what, const std::function<void()>& act) {
        changes_.Subscribe({act, [what, act](std::string_view payload) {
                                if (payload == what) act();
                            }});
    };
    on("settings", [this] { live_settings_.Reload(); });
    on("keys", [this] { signing_keys_.Reload(); });
    on("mail", [this] { mail_.Wake(); });
    on("sms", [this] { sms_.Wake(); });
}

std::vector<http::Guard> App::Guards() {
    const auto csrf_token = [this](const std::string& session) {
        return auth::CsrfToken(session, service_.csrf_key);
    };
    return {http::RequestId(),
            http::ClientAddress(settings_.http),
            http::Headers(settings_.http),
            http::RouteLookup(*router_),
            http::Authentication(tokens_),
            http::RateLimit(rate_limiter_),
            http::Csrf(settings_.http, settings_.PublicUrl(), csrf_token),
            http::Body(settings_.http),
            http::Idempotency()};
}

void App::AddGauges() {
    metrics_.AddGauge("rampartd_database_connections", "Open connections to PostgreSQL.",
                      [this] { return pool_.counts().open; });
    metrics_.AddGauge("rampartd_database_idle", "Those that nobody uses.",
                      [this] { return pool_.counts().idle; });
    metrics_.AddGauge("rampartd_database_waiting", "Requests that wait for one.",
                      [this] { return pool_.counts().waiting; });
    metrics_.AddGauge("rampartd_hashes_waiting", "Passwords that wait to be hashed.",
                      [this] { return hash_pool_.waiting(); });
    metrics_.AddGauge("rampartd_failed_logins", "Failed logins in attacks.period_seconds.",
                      [this] { return login_watch_.failures(); });
    metrics_.AddGauge("rampartd_failed_logins_usual", "How many there usually are.",
                      [this] { return login_watch_.usual(); });
    metrics_.AddGauge("rampartd_attack_level",
                      "How far limits are tightened by an attack on logins; 0: there is none.",
                      [this] { return login_watch_.level(); });
    metrics_.AddGauge("rampartd_changes_heard", "1 while the database's notifications are heard.",
                      [this] { return changes_.connected() ? 1 : 0; });
}

std::string App::SharedSecret(const std::string& name) {
    std::array<std::uint8_t, 32> candidate;
    RandomBytes(candidate);
    const nlohmann::json answer = db::CallAsServer(
        pool_, "shared_secret", {{"name", name}, {"candidate", ByteView(candidate)}});
    return answer.at("value").get<std::string>();
}

void App::Stop() {
    management_.Drain();
    listener_->Stop();
    mail_.Stop();
    sms_.Stop();
    changes_.Stop();
}

}  // namespace rampart::server
