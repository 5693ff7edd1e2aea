// Sessions that have ended or changed since tokens were issued that have not expired yet. The
// database tells of them by NOTIFY; while it cannot be heard, all of them may have. Thread-safe.
#pragma once

#include <chrono>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "config/settings.hpp"
#include "db/listener.hpp"
#include "db/pool.hpp"

namespace rampart::server::auth {

class ChangedSessions {
  public:
    // REQUIRES: the listener has not been started.
    ChangedSessions(db::Pool& pool, db::Listener& listener, const Settings& settings);

    // Whether what a token of this session says may be out of date: then the database is to be
    // asked.
    bool MayHaveChanged(const std::string& session) const;

  private:
    using Clock = std::chrono::steady_clock;

    void Reload(db::Pool& pool);
    void Add(std::string session);

    const db::Listener& listener_;
    const std::chrono::seconds kept_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, Clock::time_point> changed_;  // until when it matters
};

}  // namespace rampart::server::auth
