// Threads that hash passwords, so many as there are cores and of lower priority than those that
// answer requests: a flood of logins slows logins down and nothing else. Whoever waits for a hash
// keeps a thread of the listener waiting, so that only so many may.
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
    // threads 0: one a core; queue 0: eight a thread. Both are cut to `most` hashes at once, those
    // that wait included.
    HashPool(int threads, int queue, int most);
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

    std::size_t limit_;
    std::size_t taken_ = 0;  // hashed or waiting
    mutable std::mutex mutex_;
    std::condition_variable added_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace rampart::server::auth
