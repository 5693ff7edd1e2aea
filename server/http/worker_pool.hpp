// The threads that requests are handled in, and the bounded queue in front of them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/received_request.hpp"

namespace rampart::server::http {

class WorkerPool {
  public:
    using Work = std::function<void(const ReceivedRequest&)>;

    // `work` is called in all threads and does not throw.
    WorkerPool(std::size_t threads, std::size_t most_queued, Work work);
    // Handles what is queued, then ends the threads.
    ~WorkerPool();

    // False, and `request` is left, if the queue is full.
    bool Offer(std::unique_ptr<ReceivedRequest>& request);

  private:
    void Run();

    const std::size_t most_queued_;
    const Work work_;
    std::mutex mutex_;
    std::condition_variable offered_;
    std::deque<std::unique_ptr<ReceivedRequest>> queue_;
    bool is_ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace rampart::server::http
