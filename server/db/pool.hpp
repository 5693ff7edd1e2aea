// Connections shared by the threads that work on requests: at most so many, opened when needed,
// looked at before they are lent, thrown away when broken. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "db/connection.hpp"

namespace rampart::server::db {

class Pool {
  public:
    Pool(std::string conninfo, int size, std::chrono::milliseconds patience);

    // Gives its connection back when it goes out of scope; one in the middle of a transaction is
    // closed, which rolls it back.
    class Lease {
      public:
        Lease(Pool& pool, std::unique_ptr<Connection> connection)
            : pool_(&pool), connection_(std::move(connection)) {}
        ~Lease() {
            if (pool_ != nullptr) pool_->Return(std::move(connection_));
        }
        Lease(Lease&& other) noexcept
            : pool_(std::exchange(other.pool_, nullptr)),
              connection_(std::move(other.connection_)) {}
        Lease& operator=(Lease&&) = delete;
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Connection* operator->() { return connection_.get(); }

      private:
        Pool* pool_;
        std::unique_ptr<Connection> connection_;
    };

    // Throws ConnectionError: none became free in time, or the server cannot be reached.
    Lease Take();

    struct Counts {
        int open;
        int idle;
        int waiting;
    };
    Counts counts() const;

  private:
    void Return(std::unique_ptr<Connection> connection);

    const std::string conninfo_;
    const int size_;
    const std::chrono::milliseconds patience_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<Connection>> idle_;
    int open_ = 0;
    int waiting_ = 0;
    std::chrono::steady_clock::time_point unreachable_until_{};
};

}  // namespace rampart::server::db
