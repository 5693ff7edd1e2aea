#include "auth/hash_pool.hpp"

#include <algorithm>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/problem.hpp"

namespace rampart::server::auth {
namespace {

constexpr int kNice = 10;
constexpr int kQueuePerThread = 8;

}  // namespace

HashPool::HashPool(int threads, int queue, int most) {
    most = std::max(most, 1);
    if (threads == 0) threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    threads = std::min(threads, most);
    if (queue == 0) queue = threads * kQueuePerThread;
    limit_ = static_cast<std::size_t>(std::min(threads + queue, most));
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

HashPool::~HashPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    added_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

int HashPool::waiting() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(tasks_.size());
}

void HashPool::Enqueue(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        if (taken_ >= limit_) throw http::Problem("unavailable").RetryAfter(2);
        ++taken_;
        tasks_.push_back(std::move(task));
    }
    added_.notify_one();
}

void HashPool::Work() {
    // On Linux a thread has a priority of its own. Without the right to lower it, it stays as it
    // is.
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
    std::unique_lock lock(mutex_);
    for (;;) {
        added_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        const std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        lock.lock();
        --taken_;
    }
}

}  // namespace rampart::server::auth
