#include "http/worker_pool.hpp"

#include <utility>

namespace rampart::server::http {

WorkerPool::WorkerPool(std::size_t threads, std::size_t most_queued, Work work)
    : most_queued_(most_queued), work_(std::move(work)) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    offered_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Offer(std::unique_ptr<ReceivedRequest>& request) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() >= most_queued_) return false;
        queue_.push_back(std::move(request));
    }
    offered_.notify_one();
    return true;
}

void WorkerPool::Run() {
    for (;;) {
        std::unique_lock lock(mutex_);
        offered_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const std::unique_ptr<ReceivedRequest> request = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        // A client that left while it waited would not see the answer.
        if (!request->response->IsAbandoned()) work_(*request);
    }
}

}  // namespace rampart::server::http
