#include "mail/sender.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "db/internal.hpp"
#include "http/problem.hpp"
#include "mail/message.hpp"
#include "ops/log.hpp"

namespace rampart::server::mail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPeriod{5'000};
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kMargin{30'000};  // of a lease, beyond the longest that sending may take
constexpr int kTellings = 10;

// Text and numbers; a template has no use for anything else.
Values ValuesOf(const nlohmann::json& data) {
    Values values;
    if (!data.is_object()) return values;
    for (const auto& [name, value] : data.items()) {
        if (value.is_string()) values[name] = value.get<std::string>();
        if (value.is_number()) values[name] = value.dump();
    }
    return values;
}

db::Arguments Of(const nlohmann::json& mail) {
    return {{"id", mail.at("id").get<std::string>()},
            {"lease", mail.at("lease").get<std::string>()}};
}

std::string DescriptionOf(const nlohmann::json& mail) {
    return mail.at("template").get<std::string>() + ' ' + mail.at("id").get<std::string>() +
           ", attempt " + mail.at("attempt").dump() + ": ";
}

}  // namespace

void Sender::Use(std::optional<SenderOptions> options) {
    {
        const std::lock_guard lock(mutex_);
        next_options_ = std::move(options);
        changed_ = true;
    }
    woken_.notify_one();
}

void Sender::TakeOptions() {
    const std::lock_guard lock(mutex_);
    if (!changed_.exchange(false)) return;
    options_ = std::move(next_options_);
    smtp_ = options_ ? std::make_unique<SmtpClient>(options_->smtp) : nullptr;
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
        TakeOptions();
        Next next = Next::kPause;
        try {
            next = options_ ? Empty(stop) : Next::kGoOn;
        } catch (const http::Problem&) {
            // Logged where it happened.
        } catch (const std::exception& error) {
            ops::LogFailure({}, error.what());
        }
        if (smtp_) smtp_->Disconnect(stop);
        const bool good = next == Next::kGoOn;
        if (!Wait(good ? kPeriod : pause, good ? Until::kWork : Until::kChange, stop)) return;
        pause = good || changed_ ? kFirstPause : std::min(pause * 2, kLongestPause);
    }
}

// One at a time, so that a server that is not there costs one mail one attempt.
Sender::Next Sender::Empty(const std::stop_token& stop) {
    const milliseconds lease = options_->smtp.total_timeout + kMargin;
    const std::string lease_text = std::to_string(lease.count()) + " milliseconds";
    while (!stop.stop_requested() && !changed_) {
        const Json claimed =
            db::CallAsServer(pool_, "claim_mail", {{"max", 1}, {"lease", lease_text}});
        if (claimed.empty()) return Next::kGoOn;
        for (const Json& mail : claimed) {
            if (Send(mail, stop) == Next::kPause) return Next::kPause;
        }
    }
    return Next::kGoOn;
}

std::string Sender::Composed(const Json& mail) const {
    Values values = ValuesOf(mail.at("data"));
    values["product"] = options_->product;
    RenderedText text = options_->templates.Render(mail.at("template").get<std::string>(), values);
    const std::chrono::seconds queued_at(mail.at("queued_at").get<std::int64_t>());
    return Compose({.from = options_->from,
                    .to = mail.at("recipient").get<std::string>(),
                    .subject = std::move(text.subject),
                    .body = std::move(text.body),
                    .id = mail.at("id").get<std::string>(),
                    .date = std::chrono::system_clock::time_point(queued_at)});
}

Sender::Next Sender::Send(const Json& mail, const std::stop_token& stop) {
    std::string message;
    try {
        message = Composed(mail);
    } catch (const std::invalid_argument& error) {
        return Settle(mail, {Outcome::Kind::kRefused, error.what()}, stop);
    }
    const auto hand_over = [&] {
        return db::CallAsServer(pool_, "hand_over_mail", Of(mail)).get<bool>();
    };
    return Settle(mail,
                  smtp_->Send(options_->from.address, mail.at("recipient").get<std::string>(),
                              message, hand_over, stop),
                  stop);
}

Sender::Next Sender::Settle(const Json& mail, const Outcome& outcome, const std::stop_token& stop) {
    using Kind = Outcome::Kind;
    const bool sent = outcome.kind == Kind::kSent;
    ops::LogInfo(sent ? "mail_sent" : "mail_not_sent", DescriptionOf(mail) + outcome.reason);
    db::Arguments arguments = Of(mail);
    if (sent) {
        Tell("mail_sent", arguments, stop);
        return Next::kGoOn;
    }
    arguments.push_back({"reason", outcome.reason});
    if (outcome.kind == Kind::kUncertain) {
        Tell("mail_unanswered", arguments, stop);
        return Next::kPause;
    }
    arguments.push_back({"permanent", outcome.kind == Kind::kRefused});
    Tell("mail_failed", arguments, stop);
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

}  // namespace rampart::server::mail
