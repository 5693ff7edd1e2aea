// Works the outbox: one thread a channel, which takes messages from it and gives them to a courier.
//
// Any number of servers may work on one outbox; sql/auth/50_outbox.sql says how they share it and
// what a crash leaves. Where the other side or the database is not there, messages wait in the
// outbox, and nothing else of the server notices.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "db/pool.hpp"
#include "outbox/courier.hpp"

namespace rampart::server::outbox {

class Sender {
  public:
    Sender(db::Pool& pool, std::string channel, std::unique_ptr<Courier> courier);
    ~Sender() { Stop(); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void Start();
    // Within about a second; a message that is being written is cut off, and sent later. A mail
    // that has been written gets three seconds to be answered.
    void Stop();
    // There may be messages. From any thread.
    void Wake();
    const std::string& channel() const { return channel_; }

  private:
    using Json = nlohmann::json;
    enum class Next { kGoOn, kPause };

    void Work(const std::stop_token& stop);
    // Until the outbox has nothing that is due, or nothing can be sent.
    Next Empty(const std::stop_token& stop);
    Next Send(const Json& claimed, const std::stop_token& stop);
    Next Settle(const Json& claimed, const Outcome& outcome, const std::stop_token& stop);

    // What became of a message is told to the database until it has heard it, within reason.
    void Tell(std::string_view function, const db::Arguments& arguments,
              const std::stop_token& stop);
    // False once a stop is asked for.
    bool Wait(std::chrono::milliseconds time, bool until_woken, const std::stop_token& stop);

    db::Pool& pool_;
    const std::string channel_;
    const std::unique_ptr<Courier> courier_;
    std::mutex mutex_;
    std::condition_variable_any woken_;
    bool wake_ = false;
    std::jthread thread_;
};

}  // namespace rampart::server::outbox
