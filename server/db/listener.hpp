// One connection that LISTENs on channel rampart_auth, and reconnects. What it hears goes to
// subscribers, in its own thread. Whoever keeps a copy of the database's state in memory by what is
// heard here may believe it only while connected() says so.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rampart::server::db {

class Listener {
  public:
    explicit Listener(std::string conninfo) : conninfo_(std::move(conninfo)) {}
    ~Listener() { Stop(); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    struct Subscriber {
        // Called after each LISTEN has taken effect: to load what may have been missed. Not
        // connected until all have returned; where one throws, the connection is made anew.
        std::function<void()> reload;
        std::function<void(std::string_view payload)> heard;
    };
    // REQUIRES: not started.
    void Subscribe(Subscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }

    void Start();
    void Stop();
    // Whether everything that was committed up to half a second ago has been heard.
    bool connected() const;

  private:
    void Work();
    void Session();

    const std::string conninfo_;
    std::vector<Subscriber> subscribers_;
    std::thread thread_;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::int64_t> alive_at_ = 0;  // steady, in milliseconds; 0: not connected
};

}  // namespace rampart::server::db
