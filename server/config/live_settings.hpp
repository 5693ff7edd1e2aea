// The settings in force: those the server started with, and over them what administrators keep in
// the database, where every instance hears of a change. Thread-safe.
//
// Whoever needs settings takes a snapshot, Current(), and reads all from that one: a request has
// its own (Exchange::settings). A value of the database that is not good (any more), as after an
// upgrade, stops nothing: the value that the server started with counts in its place. Where that
// could open what was meant to be closed, the section is closed instead: nobody signs up without an
// invitation, and mails wait in the outbox. It is logged, and `rampartd check` says so too.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/settings.hpp"

namespace rampart::server {

namespace db {
class Pool;
}

struct Configuration {
    Settings settings;
    Sources sources;
};

struct MergedSettings {
    Configuration configuration;
    std::vector<std::string> problems;  // "name: reason"; never quotes a value
};
// `stored`: {name: text}, as rampart_auth.read_settings() has them.
MergedSettings Merge(const Configuration& started_with, const nlohmann::json& stored);

// Whether a password for the one is one for the other.
bool IsSameRelay(const MailSettings& one, const MailSettings& other);

class LiveSettings {
  public:
    using Follower = std::function<void(const Settings&)>;

    LiveSettings(db::Pool& pool, Configuration started_with);

    // Reads the database, and tells who follows. Throws http::Problem where it is not there.
    void Reload();
    // REQUIRES: nobody calls Reload() meanwhile. Called with the settings of now, and then whenever
    // they may have changed.
    void Follow(Follower follower);

    std::shared_ptr<const Settings> Current() const;
    const Configuration& started_with() const { return started_with_; }

  private:
    db::Pool& pool_;
    const Configuration started_with_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> current_;
    std::vector<std::string> problems_;
    std::vector<Follower> followers_;
};

}  // namespace rampart::server
