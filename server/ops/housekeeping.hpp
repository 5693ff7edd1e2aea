// Work that comes round by itself, in one thread: what has expired is removed, failed logins are
// watched. Each instance tries; the database sees to it that one at a time does.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

namespace rampart::server::ops {

class Housekeeping {
  public:
    struct Job {
        std::function<std::chrono::milliseconds()> every;
        std::function<void()> run;  // may throw http::Problem: what is due stays due
    };
    // The first time of each is after its interval.
    explicit Housekeeping(std::vector<Job> jobs);

  private:
    void Work(const std::stop_token& stop);

    const std::vector<Job> jobs_;
    std::jthread thread_;
};

}  // namespace rampart::server::ops
