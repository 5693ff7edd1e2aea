#include "outbox/sender.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "db/internal.hpp"
#include "http/problem.hpp"
#include "ops/log.hpp"

namespace rampart::server::outbox {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPeriod{5'000};
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kMargin{30'000};  // of a lease, beyond the longest that sending may take
constexpr int kTellings = 10;

Message MessageOf(const nlohmann::json& claimed) {
    Message message{.id = claimed.at("id"),
                    .recipient = claimed.at("recipient"),
                    .template_name = claimed.at("template"),
                    .values = {},
                    .queued_at = std::chrono::system_clock::time_point(
                        std::chrono::seconds(claimed.at("queued_at").get<std::int64_t>()))};
    // Text and numbers; a template has no use for anything else.
    const nlohmann::json& data = claimed.at("data");
    if (!data.is_object()) return message;
    for (const auto& [name, value] : data.items()) {
        if (value.is_string()) message.values[name] = value.get<std::string>();
        if (value.is_number()) message.values[name] = value.dump();
    }
    return message;
}

db::Arguments Of(const nlohmann::json& claimed) {
    return {{"id", claimed.at("id").get<std::string>()},
            {"lease", claimed.at("lease").get<std::string>()}};
}

std::string DescriptionOf(const nlohmann::json& claimed) {
    return claimed.at("template").get<std::string>() + ' ' + claimed.at("id").get<std::string>() +
           ", attempt " + claimed.at("attempt").dump() + ": ";
}

}  // namespace

void Sender::Use(std::unique_ptr<Courier> courier) {
    {
        const std::lock_guard lock(mutex_);
        next_courier_ = std::move(courier);
        changed_ = true;
    }
    woken_.notify_one();
}

void Sender::TakeCourier() {
    const std::lock_guard lock(mutex_);
    if (changed_.exchange(false)) courier_ = std::move(next_courier_);
}

void Sender::Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
}

void Sender::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void Sender::Wake() {
    {
        const std::lock_guard lock(mutex_);
        wake_ = true;
    }
    woken_.notify_one();
}

bool Sender::Wait(milliseconds time, Until until, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, time, [&] {
        return (until != Until::kTime && changed_) || (until == Until::kWork && wake_);
    });
    if (until == Until::kWork) wake_ = false;
    return !stop.stop_requested();
}

void Sender::Work(const std::stop_token& stop) {
    milliseconds pause = kFirstPause;
    for (;;) {
        TakeCourier();
        Next next = Next::kPause;
        try {
            next = courier_ ? Empty(stop) : Next::kGoOn;
        } catch (const http::Problem&) {
            // Logged where it happened.
        } catch (const std::exception& error) {
            ops::LogFailure({}, error.what());
        }
        if (courier_) courier_->Disconnect(stop);
        const bool good = next == Next::kGoOn;
        if (!Wait(good ? kPeriod : pause, good ? Until::kWork : Until::kChange, stop)) return;
        pause = good || changed_ ? kFirstPause : std::min(pause * 2, kLongestPause);
    }
}

// One at a time, so that an other side that is not there costs one message one attempt.
Sender::Next Sender::Empty(const std::stop_token& stop) {
    const milliseconds lease = courier_->patience() + kMargin;
    const std::string lease_text = std::to_string(lease.count()) + " milliseconds";
    while (!stop.stop_requested() && !changed_) {
        const Json claimed = db::CallAsServer(
            pool_, "claim_messages", {{"channel", channel_}, {"max", 1}, {"lease", lease_text}});
        if (claimed.empty()) return Next::kGoOn;
        for (const Json& message : claimed) {
            if (Send(message, stop) == Next::kPause) return Next::kPause;
        }
    }
    return Next::kGoOn;
}

Sender::Next Sender::Send(const Json& claimed, const std::stop_token& stop) {
    const auto hand_over = [&] {
        return db::CallAsServer(pool_, "hand_over_message", Of(claimed)).get<bool>();
    };
    Outcome outcome;
    try {
        outcome = courier_->Deliver(MessageOf(claimed), hand_over, stop);
    } catch (const std::invalid_argument& error) {
        outcome = {Outcome::Kind::kRefused, error.what()};
    }
    return Settle(claimed, outcome, stop);
}

Sender::Next Sender::Settle(const Json& claimed, const Outcome& outcome,
                            const std::stop_token& stop) {
    using Kind = Outcome::Kind;
    const bool sent = outcome.kind == Kind::kSent;
    ops::LogInfo(channel_ + (sent ? "_sent" : "_not_sent"),
                 DescriptionOf(claimed) + outcome.reason);
    db::Arguments arguments = Of(claimed);
    if (sent) {
        Tell("message_sent", arguments, stop);
        return Next::kGoOn;
    }
    arguments.push_back({"reason", outcome.reason});
    if (outcome.kind == Kind::kUncertain) {
        Tell("message_unanswered", arguments, stop);
        return Next::kPause;
    }
    arguments.push_back({"permanent", outcome.kind == Kind::kRefused});
    Tell("message_failed", arguments, stop);
    return outcome.kind == Kind::kUnavailable ? Next::kPause : Next::kGoOn;
}

void Sender::Tell(std::string_view function, const db::Arguments& arguments,
                  const std::stop_token& stop) {
    for (int left = kTellings;; --left) {
        try {
            db::CallAsServer(pool_, function, arguments);
            return;
        } catch (const http::Problem&) {
            if (left == 0 || !Wait(kFirstPause, Until::kTime, stop)) throw;
        }
    }
}

}  // namespace rampart::server::outbox
