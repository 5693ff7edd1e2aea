// Works the outbox: one thread that takes mails from it, and hands them to the SMTP server.
//
// Any number of servers may work on one outbox; sql/auth/50_mail.sql says how they share it and
// what a crash leaves. Where the SMTP server or the database is not there, mails wait in the
// outbox, and nothing else of the server notices.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
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
    Sender(db::Pool& pool, SenderOptions options);
    ~Sender() { Stop(); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void Start();
    // Within about a second; a mail that is being written is cut off, and sent later. One that has
    // been written gets three seconds to be answered.
    void Stop();
    // There may be mail. From any thread.
    void Wake();

  private:
    using Json = nlohmann::json;
    enum class Next { kGoOn, kPause };

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
    bool Wait(std::chrono::milliseconds time, bool until_woken, const std::stop_token& stop);

    db::Pool& pool_;
    const SenderOptions options_;
    SmtpClient smtp_;
    std::mutex mutex_;
    std::condition_variable_any woken_;
    bool wake_ = false;
    std::jthread thread_;
};

}  // namespace rampart::server::mail
