#include "config/live_settings.hpp"

#include <algorithm>
#include <tuple>

#include "config/check.hpp"
#include "config/setting_value.hpp"
#include "db/internal.hpp"
#include "ops/log.hpp"

namespace rampart::server {
namespace {

// What is safe while a value of the section cannot be used.
void CloseFor(const std::string& problem, Settings& settings) {
    if (problem.starts_with("mail.")) settings.mail.host.clear();
    if (problem.starts_with("signup.")) settings.signup.mode = "invitation";
}

// A password that was written for one relay is shown to no other, whoever may change its address.
bool ShowsPassword(const Configuration& started_with, const Configuration& merged) {
    const auto source = merged.sources.find("mail.password");
    const bool own = source == merged.sources.end() || source->second != Source::kDatabase;
    return own && !merged.settings.mail.password.empty() &&
           !IsSameRelay(merged.settings.mail, started_with.settings.mail);
}

}  // namespace

bool IsSameRelay(const MailSettings& one, const MailSettings& other) {
    return std::tie(one.host, one.port, one.security, one.username) ==
           std::tie(other.host, other.port, other.security, other.username);
}

MergedSettings Merge(const Configuration& started_with, const nlohmann::json& stored) {
    MergedSettings merged{started_with, {}};
    auto& [configuration, problems] = merged;
    std::vector<std::string> unknown;  // of a newer server, say
    const std::vector<Setting> table = Table(configuration.settings);
    for (const auto& [name, value] : stored.items()) {
        const Setting* setting = FindSetting(table, name);
        if (setting == nullptr || (setting->traits & kRunTime) == 0) {
            unknown.push_back(name + ": is no setting that the database can have");
            continue;
        }
        try {
            Assign(*setting, value.get_ref<const std::string&>());
            configuration.sources[name] = Source::kDatabase;
        } catch (const ConfigurationError& error) {
            problems.emplace_back(error.what());
        }
    }
    for (const Finding& finding : CheckRunTime(configuration.settings)) {
        if (finding.is_error) problems.push_back(finding.text);
    }
    if (ShowsPassword(started_with, configuration))
        problems.emplace_back(
            "mail.password: the database has another relay than the server started with, and no "
            "password for it");
    for (const std::string& problem : problems) CloseFor(problem, configuration.settings);
    problems.insert(problems.end(), unknown.begin(), unknown.end());
    return merged;
}

LiveSettings::LiveSettings(db::Pool& pool, Configuration started_with)
    : pool_(pool),
      started_with_(std::move(started_with)),
      current_(std::make_shared<const Settings>(started_with_.settings)) {}

void LiveSettings::Reload() {
    const nlohmann::json stored = db::CallAsServer(pool_, "read_settings");
    MergedSettings merged = Merge(started_with_, stored.at("values"));
    for (const std::string& problem : merged.problems) {
        if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
            ops::LogWarning("setting_refused", problem);
    }
    problems_ = std::move(merged.problems);
    const auto fresh = std::make_shared<const Settings>(std::move(merged.configuration.settings));
    {
        const std::lock_guard lock(mutex_);
        current_ = fresh;
    }
    for (const Follower& follower : followers_) follower(*fresh);
}

void LiveSettings::Follow(Follower follower) {
    follower(*Current());
    followers_.push_back(std::move(follower));
}

std::shared_ptr<const Settings> LiveSettings::Current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

}  // namespace rampart::server
