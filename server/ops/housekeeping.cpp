#include "ops/housekeeping.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "http/problem.hpp"
#include "ops/log.hpp"

namespace rampart::server::ops {

Housekeeping::Housekeeping(std::vector<Job> jobs)
    : jobs_(std::move(jobs)), thread_([this](const std::stop_token& stop) { Work(stop); }) {}

void Housekeeping::Work(const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    std::vector<Clock::time_point> due;
    for (const Job& job : jobs_) due.push_back(Clock::now() + job.every());
    std::mutex mutex;
    std::condition_variable_any stopped;
    for (;;) {
        const auto next = std::min_element(due.begin(), due.end());
        std::unique_lock lock(mutex);
        stopped.wait_until(lock, stop, *next, [] { return false; });
        if (stop.stop_requested()) return;
        const Job& job = jobs_[static_cast<std::size_t>(next - due.begin())];
        try {
            job.run();
        } catch (const http::Problem&) {
            // Logged where it happened.
        } catch (const std::exception& error) {
            LogFailure({}, error.what());
        }
        *next = Clock::now() + job.every();
    }
}

}  // namespace rampart::server::ops
