// Watches how many logins fail, with all other instances: rampart_auth.watch_logins decides, in the
// database, whether an attack is on. What it found last is here for metrics.
#pragma once

#include <atomic>
#include <chrono>

#include "config/live_settings.hpp"
#include "db/pool.hpp"

namespace rampart::server::auth {

class LoginWatch {
  public:
    LoginWatch(db::Pool& pool, const LiveSettings& settings) : pool_(pool), settings_(settings) {}

    // How often Look() is due: several times in a period, so that an attack is seen soon.
    std::chrono::milliseconds Interval() const;
    // Throws http::Problem `unavailable`.
    void Look();

    double failures() const { return failures_; }
    double usual() const { return usual_; }
    double level() const { return level_; }

  private:
    db::Pool& pool_;
    const LiveSettings& settings_;
    std::atomic<double> failures_ = 0;
    std::atomic<double> usual_ = 0;
    std::atomic<double> level_ = 0;
};

// The period in which failures are counted; NULL where nothing is watched.
db::Value PeriodOf(const AttackSettings& settings);

}  // namespace rampart::server::auth
