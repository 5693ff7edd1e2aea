#include "auth/tokens/changed_sessions.hpp"

#include <mutex>

#include "db/internal.hpp"

namespace rampart::server::auth {
namespace {

constexpr std::chrono::seconds kClocksDiffer{60};

}  // namespace

ChangedSessions::ChangedSessions(db::Pool& pool, db::Listener& listener, const Settings& settings)
    : listener_(listener),
      kept_(std::chrono::seconds(settings.tokens.access_seconds) + kClocksDiffer) {
    listener.Subscribe({[this, &pool] { Reload(pool); },
                        [this](std::string_view payload) {
                            constexpr std::string_view kPrefix = "session ";
                            if (payload.starts_with(kPrefix)) {
                                Add(std::string(payload.substr(kPrefix.size())));
                            }
                        }});
}

bool ChangedSessions::MayHaveChanged(const std::string& session) const {
    if (!listener_.connected()) return true;
    const std::shared_lock lock(mutex_);
    return changed_.contains(session);
}

void ChangedSessions::Reload(db::Pool& pool) {
    const nlohmann::json sessions = db::CallAsServer(
        pool, "changed_sessions", {{"since", std::to_string(kept_.count()) + " seconds"}});
    for (const nlohmann::json& session : sessions) Add(session.get<std::string>());
}

void ChangedSessions::Add(std::string session) {
    const Clock::time_point now = Clock::now();
    const std::unique_lock lock(mutex_);
    if (changed_.size() % 1024 == 1023) {
        std::erase_if(changed_, [&](const auto& entry) { return entry.second < now; });
    }
    changed_[std::move(session)] = now + kept_;
}

}  // namespace rampart::server::auth
