#include "http/rate_limiter.hpp"

#include <algorithm>

#include "crypto/sha256.hpp"
#include "db/internal.hpp"

namespace rampart::server::http {

bool RateLimiter::TakeLocal(Shard& shard, const std::string& who, Outcome* outcome) {
    const Clock::time_point now = Clock::now();
    const auto found = shard.portions.find(who);
    if (found == shard.portions.end() || found->second.left == 0 || found->second.until <= now)
        return false;
    Portion& portion = found->second;
    --portion.left;
    const auto reset = std::chrono::ceil<std::chrono::seconds>(portion.until - now).count();
    *outcome = {true, portion.remaining + portion.left, static_cast<int>(reset), 0};
    return true;
}

RateLimiter::Outcome RateLimiter::Take(const std::string& caller, const Rate& rate) {
    // What was counted by another rate, or taken in advance, says nothing about this one.
    const std::string who =
        caller + ' ' + std::to_string(rate.requests) + '/' + std::to_string(rate.seconds);
    Shard& shard = shards_[std::hash<std::string>()(who) % kShards];
    std::unique_lock lock(shard.mutex);
    for (;;) {
        Outcome outcome{};
        if (TakeLocal(shard, who, &outcome)) return outcome;
        const auto asking = shard.asking.find(who);
        if (asking == shard.asking.end()) break;
        const std::shared_future<Outcome> answer = asking->second;
        lock.unlock();
        if (!answer.get().granted) return answer.get();
        lock.lock();
    }
    std::promise<Outcome> promise;
    shard.asking.emplace(who, promise.get_future().share());
    lock.unlock();
    try {
        const Outcome outcome = Ask(shard, who, rate);
        promise.set_value(outcome);
        return outcome;
    } catch (...) {
        lock.lock();
        shard.asking.erase(who);
        promise.set_exception(std::current_exception());
        throw;
    }
}

RateLimiter::Outcome RateLimiter::Ask(Shard& shard, const std::string& who, const Rate& rate) {
    const Sha256Digest key = Sha256(AsBytes(who));
    const nlohmann::json answer =
        db::CallAsServer(pool_, "take_rate",
                         {{"key", ByteView(key)},
                          {"quota", rate.requests},
                          {"window_seconds", rate.seconds},
                          {"wanted", std::max(1, rate.requests / kPortions)}});
    const int granted = answer["granted"];
    const Outcome outcome = {granted > 0, answer["remaining"].get<int>() + std::max(0, granted - 1),
                             answer["reset"], answer["retry_after"]};
    const Clock::time_point now = Clock::now();
    const std::lock_guard lock(shard.mutex);
    if (granted > 1) {
        if (shard.portions.size() >= kMostPerShard) {
            std::erase_if(shard.portions, [&](const auto& entry) {
                return entry.second.until <= now || entry.second.left == 0;
            });
        }
        if (shard.portions.size() < kMostPerShard) {
            shard.portions[who] = {granted - 1, answer["remaining"],
                                   now + std::chrono::seconds(outcome.reset)};
        }
    }
    shard.asking.erase(who);
    return outcome;
}

}  // namespace rampart::server::http
