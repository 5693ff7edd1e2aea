// Works the outbox: one thread that takes mails from it, and hands them to the SMTP server.
//
// Any number of servers may work on one outbox; sql/auth/50_mail.sql says how they share it and
// what a crash leaves. Where the SMTP server or the database is not there, mails wait in the
// outbox, and nothing else of the server notices.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "db/pool.hpp"
#include "mail/address.hpp"
#include "mail/smtp.hpp"
#include "mail/templates.hpp"

namespace rampart::server::mail {

struct SenderOptions {
    SmtpOptions smtp;
    Mailbox from;
    std::string product;  // {{product}} in every template
    Templates templates;
};

class Sender {
  public:
    // Mails stay in the outbox until Use() says where to.
    explicit Sender(db::Pool& pool) : pool_(pool) {}
    ~Sender() { Stop(); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    // By these from the next mail on; nothing: no mail is sent. From any thread.
    void Use(std::optional<SenderOptions> options);
    void Start();
    // Within about a second; a mail that is being written is cut off, and sent later. One that has
    // been written gets three seconds to be answered.
    void Stop();
    // There may be mail. From any thread.
    void Wake();

  private:
    using Json = nlohmann::json;
    enum class Next { kGoOn, kPause };
    enum class Until { kTime, kChange, kWork };  // work: a change, or a mail

    void Work(const std::stop_token& stop);
    // Until the outbox has nothing that is due, or nothing can be sent.
    Next Empty(const std::stop_token& stop);
    Next Send(const Json& mail, const std::stop_token& stop);
    Next Settle(const Json& mail, const Outcome& outcome, const std::stop_token& stop);
    std::string Composed(const Json& mail) const;

    // What became of a mail is told to the database until it has heard it, within reason.
    void Tell(std::string_view function, const db::Arguments& arguments,
              const std::stop_token& stop);
    // False once a stop is asked for.
    bool Wait(std::chrono::milliseconds time, Until until, const std::stop_token& stop);
    // Makes what Use() was told the thread's own.
    void TakeOptions();

    db::Pool& pool_;
    // The thread's own.
    std::optional<SenderOptions> options_;
    std::unique_ptr<SmtpClient> smtp_;
    // Shared.
    std::mutex mutex_;
    std::condition_variable_any woken_;
    bool wake_ = false;
    std::optional<SenderOptions> next_options_;
    std::atomic<bool> changed_ = false;
    std::jthread thread_;
};

}  // namespace rampart::server::mail
