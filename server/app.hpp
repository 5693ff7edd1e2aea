// The server: its parts, built in the order in which they depend on each other.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "auth/login_watch.hpp"
#include "auth/routes.hpp"
#include "auth/service.hpp"
#include "config/live_settings.hpp"
#include "db/listener.hpp"
#include "db/pool.hpp"
#include "http/chain.hpp"
#include "http/listener.hpp"
#include "http/rate_limiter.hpp"
#include "http/router.hpp"
#include "ops/housekeeping.hpp"
#include "ops/management.hpp"
#include "ops/metrics.hpp"
#include "outbox/sender.hpp"

namespace rampart::server {

// Every route there is. `service` is used by handlers alone, when they are called.
std::vector<http::Route> AllRoutes(const auth::Service& service, const LiveSettings& settings,
                                   const nlohmann::json& document,
                                   const std::vector<http::Route>& all);

class App {
  public:
    // Connects, and waits for the database where it is not there yet. Throws std::exception for
    // what waiting does not cure: migrations that are missing, a certificate that is none, a port
    // that is taken.
    explicit App(const Configuration& configuration);

    int port() const { return listener_->port(); }
    void Run() { listener_->Run(); }
    void Stop();
    void ReloadCertificate() { listener_->ReloadCertificate(); }

  private:
    std::vector<http::Guard> Guards();
    // Has those told who keep what the database may change.
    void FollowChanges();
    void AddGauges();
    std::string SharedSecret(const std::string& name);

    const Settings settings_;  // for what does not change while the server runs
    ops::Metrics metrics_;
    db::Pool pool_;
    LiveSettings live_settings_;
    outbox::Sender mail_;
    outbox::Sender sms_;
    db::Listener changes_;
    auth::SigningKeys signing_keys_;
    auth::TokenReader tokens_;
    auth::ChangedSessions changed_sessions_;
    auth::PasswordHasher hasher_;
    auth::HashPool hash_pool_;
    auth::Service service_;
    auth::LoginWatch login_watch_;
    http::RateLimiter rate_limiter_;
    nlohmann::json document_;
    std::vector<http::Route> routes_;
    std::unique_ptr<http::Router> router_;
    std::unique_ptr<http::Chain> chain_;
    ops::Management management_;
    std::unique_ptr<http::Listener> listener_;
    ops::Housekeeping housekeeping_;
};

}  // namespace rampart::server
