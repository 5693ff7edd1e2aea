#include "ops/housekeeping.hpp"

#include <chrono>

#include "db/internal.hpp"
#include "http/problem.hpp"

namespace rampart::server::ops {
namespace {

constexpr std::chrono::minutes kEvery{5};

}  // namespace

Housekeeping::Housekeeping(db::Pool& pool) : thread_([this, &pool] { Work(pool); }) {}

Housekeeping::~Housekeeping() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    thread_.join();
}

void Housekeeping::Work(db::Pool& pool) {
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, kEvery, [&] { return stopping_; })) {
        lock.unlock();
        try {
            db::CallAsServer(pool, "clean_up");
        } catch (const http::Problem&) {
            // Logged where it happened; what is due stays due.
        }
        lock.lock();
    }
}

}  // namespace rampart::server::ops
