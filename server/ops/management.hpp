// Health, readiness and metrics, on an address of their own that the public does not reach.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include <httplib.h>

#include "config/settings.hpp"
#include "ops/metrics.hpp"

namespace rampart::server::ops {

class Management {
  public:
    // `ready`: whether requests can be answered. Throws std::runtime_error where the port is taken.
    Management(const HttpSettings& settings, Metrics& metrics, std::function<bool()> ready);
    ~Management();
    Management(const Management&) = delete;
    Management& operator=(const Management&) = delete;

    // From now on not ready, so that proxies send nothing more.
    void Drain() { draining_ = true; }

  private:
    httplib::Server server_;
    std::atomic<bool> draining_ = false;
    std::thread thread_;
};

}  // namespace rampart::server::ops
