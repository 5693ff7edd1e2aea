// Work that comes round by itself: what has expired is removed. Each instance tries; the database
// sees to it that one at a time does.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "db/pool.hpp"

namespace rampart::server::ops {

class Housekeeping {
  public:
    explicit Housekeeping(db::Pool& pool);
    ~Housekeeping();
    Housekeeping(const Housekeeping&) = delete;
    Housekeeping& operator=(const Housekeeping&) = delete;

  private:
    void Work(db::Pool& pool);

    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rampart::server::ops
