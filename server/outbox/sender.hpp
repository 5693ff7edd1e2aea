// Works the outbox: one thread a channel, which takes messages from it and gives them to a courier.
//
// Any number of servers may work on one outbox; sql/auth/50_outbox.sql says how they share it and
// what a crash leaves. Where the other side or the database is not there, messages wait in the
// outbox, and nothing else of the server notices.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "db/pool.hpp"
#include "outbox/courier.hpp"

namespace rampart::server::outbox {

class Sender {
  public:
    // Messages stay in the outbox until Use() says by whom they leave.
    Sender(db::Pool& pool, std::string channel) : pool_(pool), channel_(std::move(channel)) {}
    ~Sender() { Stop(); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    // By this courier from the next message on; null: none leaves. From any thread.
    void Use(std::unique_ptr<Courier> courier);
    void Start();
    // Within about a second; a message that is being written is cut off, and sent later. A mail
    // that has been written gets three seconds to be answered.
    void Stop();
    // There may be messages. From any thread.
    void Wake();

  private:
    using Json = nlohmann::json;
    enum class Next { kGoOn, kPause };
    enum class Until { kTime, kChange, kWork };  // work: a change, or a message

    void Work(const std::stop_token& stop);
    // Until the outbox has nothing that is due, or nothing can be sent.
    Next Empty(const std::stop_token& stop);
    Next Send(const Json& claimed, const std::stop_token& stop);
    Next Settle(const Json& claimed, const Outcome& outcome, const std::stop_token& stop);

    // What became of a message is told to the database until it has heard it, within reason.
    void Tell(std::string_view function, const db::Arguments& arguments,
              const std::stop_token& stop);
    // False once a stop is asked for.
    bool Wait(std::chrono::milliseconds time, Until until, const std::stop_token& stop);

    // Makes what Use() was told the thread's own.
    void TakeCourier();

    db::Pool& pool_;
    const std::string channel_;
    std::unique_ptr<Courier> courier_;  // the thread's own
    // Shared.
    std::mutex mutex_;
    std::condition_variable_any woken_;
    bool wake_ = false;
    std::unique_ptr<Courier> next_courier_;
    std::atomic<bool> changed_ = false;
    std::jthread thread_;
};

}  // namespace rampart::server::outbox
