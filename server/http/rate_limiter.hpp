// Limits how many requests somebody makes in a window of time, over all instances: the database
// counts (rampart_auth.take_rate). So as not to ask it each time, larger quotas are taken from it
// in portions, a twentieth at a time: what an instance leaves unused of a portion nobody gets in
// this window, and never does anybody get more than the quota. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <unordered_map>

#include "config/settings.hpp"
#include "db/pool.hpp"

namespace rampart::server::http {

class RateLimiter {
  public:
    explicit RateLimiter(db::Pool& pool) : pool_(pool) {}

    struct Outcome {
        bool granted;
        int remaining;
        int reset;        // seconds
        int retry_after;  // seconds, where it was not granted
    };
    // `caller`: the limit's name and whose it is. Throws http::Problem `unavailable`.
    Outcome Take(const std::string& caller, const Rate& rate);

  private:
    using Clock = std::chrono::steady_clock;
    struct Portion {
        int left = 0;
        int remaining = 0;
        Clock::time_point until;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::string, Portion> portions;
        // Of whom a portion is being asked for: by one request, for which others wait. Each asking
        // for one of its own would take all of a quota in advance.
        std::unordered_map<std::string, std::shared_future<Outcome>> asking;
    };
    static constexpr std::size_t kShards = 16;
    static constexpr int kPortions = 20;  // of a quota
    static constexpr std::size_t kMostPerShard = 10'000;

    // REQUIRES: the shard's lock is held.
    bool TakeLocal(Shard& shard, const std::string& who, Outcome* outcome);
    // The database; keeps the portion, after which nobody asks any more.
    Outcome Ask(Shard& shard, const std::string& who, const Rate& rate);

    db::Pool& pool_;
    std::array<Shard, kShards> shards_;
};

}  // namespace rampart::server::http
