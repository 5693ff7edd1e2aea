#include "http/rate_limiter.hpp"

#include <algorithm>

#include "crypto/sha256.hpp"
#include "db/internal.hpp"

namespace rampart::server::http {

bool RateLimiter::TakeLocal(Shard& shard, const std::string& who, Outcome* outcome) {
    const Clock::time_point now = Clock::now();
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.portions.find(who);
    if (found == shard.portions.end() || found->second.left == 0 || found->second.until <= now)
        return false;
    Portion& portion = found->second;
    --portion.left;
    const auto reset = std::chrono::ceil<std::chrono::seconds>(portion.until - now).count();
    *outcome = {true, portion.remaining + portion.left, static_cast<int>(reset), 0};
    return true;
}

RateLimiter::Outcome RateLimiter::Take(const std::string& who, const Rate& rate) {
    Shard& shard = shards_[std::hash<std::string>()(who) % kShards];
    Outcome outcome{};
    if (TakeLocal(shard, who, &outcome)) return outcome;

    const int wanted = std::max(1, rate.requests / 20);
    const Sha256Digest key = Sha256(AsBytes(who));
    const nlohmann::json answer = db::CallAsServer(pool_, "take_rate",
                                                   {{"key", ByteView(key)},
                                                    {"quota", rate.requests},
                                                    {"window_seconds", rate.seconds},
                                                    {"wanted", wanted}});
    const int granted = answer["granted"];
    // Others may have come back with a portion meanwhile.
    if (granted == 0 && TakeLocal(shard, who, &outcome)) return outcome;
    outcome = {granted > 0, answer["remaining"].get<int>() + std::max(0, granted - 1),
               answer["reset"], answer["retry_after"]};
    if (granted > 1) {
        const Clock::time_point now = Clock::now();
        const std::lock_guard lock(shard.mutex);
        if (shard.portions.size() >= kMostPerShard) {
            std::erase_if(shard.portions, [&](const auto& entry) {
                return entry.second.until <= now || entry.second.left == 0;
            });
        }
        if (shard.portions.size() < kMostPerShard) {
            Portion& portion = shard.portions[who];
            const int kept = portion.until > now ? portion.left : 0;
            portion = {kept + granted - 1, answer["remaining"],
                       now + std::chrono::seconds(outcome.reset)};
        }
    }
    return outcome;
}

}  // namespace rampart::server::http
