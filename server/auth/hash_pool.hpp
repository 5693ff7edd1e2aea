// Threads that hash passwords, so many as there are cores and of lower priority than those that
// answer requests: a flood of logins slows logins down and nothing else.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace rampart::server::auth {

class HashPool {
  public:
    // threads 0: one a core; queue 0: eight a thread.
    HashPool(int threads, int queue);
    ~HashPool();
    HashPool(const HashPool&) = delete;
    HashPool& operator=(const HashPool&) = delete;

    // Runs it and waits. Throws http::Problem `unavailable` at once where too many wait already,
    // and what the function throws.
    template <typename Result>
    Result Run(std::function<Result()> work) {
        std::packaged_task<Result()> task(std::move(work));
        std::future<Result> result = task.get_future();
        Enqueue([&task] { task(); });
        return result.get();
    }

    int waiting() const;

  private:
    void Enqueue(std::function<void()> task);
    void Work();

    const std::size_t queue_;
    mutable std::mutex mutex_;
    std::condition_variable added_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace rampart::server::auth
