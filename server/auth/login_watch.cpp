#include "auth/login_watch.hpp"

#include <algorithm>

#include "db/internal.hpp"

namespace rampart::server::auth {

std::chrono::milliseconds LoginWatch::Interval() const {
    const std::chrono::seconds period(settings_.Current()->attacks.period_seconds);
    return std::clamp<std::chrono::milliseconds>(period / 20, std::chrono::milliseconds(100),
                                                 std::chrono::seconds(5));
}

void LoginWatch::Look() {
    const std::shared_ptr<const Settings> settings = settings_.Current();
    const AttackSettings& attacks = settings->attacks;
    const nlohmann::json seen =
        attacks.watch ? db::CallAsServer(pool_, "watch_logins",
                                         {{"period", attacks.period_seconds},
                                          {"least_failures", attacks.least_failures},
                                          {"factor", attacks.factor},
                                          {"half_life_hours", attacks.half_life_hours}})
                      : db::CallAsServer(pool_, "unwatch_logins");
    failures_ = seen.at("failures").get<double>();
    usual_ = seen.at("usual").get<double>();
    level_ = seen.at("level").get<double>();
}

db::Value PeriodOf(const AttackSettings& settings) {
    return settings.watch ? db::Value(settings.period_seconds) : db::Value();
}

}  // namespace rampart::server::auth
