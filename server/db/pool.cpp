#include "db/pool.hpp"

namespace rampart::server::db {
namespace {

// After a failed attempt nobody tries again for so long: a database that is down gets few
// connection attempts, and requests their 503 at once.
constexpr std::chrono::milliseconds kPause{200};

}  // namespace

Pool::Pool(std::string conninfo, int size, std::chrono::milliseconds patience)
    : conninfo_(std::move(conninfo)), size_(size), patience_(patience) {}

Pool::Lease Pool::Take() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    const bool free =
        freed_.wait_for(lock, patience_, [&] { return !idle_.empty() || open_ < size_; });
    --waiting_;
    if (!free) throw ConnectionError("no connection became free in time");
    while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (!connection->IsStale()) return {*this, std::move(connection)};
        --open_;
    }
    if (std::chrono::steady_clock::now() < unreachable_until_)
        throw ConnectionError("the database cannot be reached");
    ++open_;
    lock.unlock();
    try {
        return {*this, std::make_unique<Connection>(conninfo_)};
    } catch (const ConnectionError&) {
        const std::lock_guard again(mutex_);
        --open_;
        unreachable_until_ = std::chrono::steady_clock::now() + kPause;
        freed_.notify_one();
        throw;
    }
}

void Pool::Return(std::unique_ptr<Connection> connection) {
    const bool usable =
        connection != nullptr && !connection->IsBroken() && !connection->InTransaction();
    if (!usable) connection.reset();
    const std::lock_guard lock(mutex_);
    if (usable) {
        idle_.push_back(std::move(connection));
    } else {
        --open_;
    }
    freed_.notify_one();
}

Pool::Counts Pool::counts() const {
    const std::lock_guard lock(mutex_);
    return {open_, static_cast<int>(idle_.size()), waiting_};
}

}  // namespace rampart::server::db
