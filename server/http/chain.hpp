// What happens to a request: guards, transaction, handler, answer, log line, metrics. The same for
// every route.
#pragma once

#include <vector>

#include "config/live_settings.hpp"
#include "db/pool.hpp"
#include "http/guards/guards.hpp"
#include "ops/metrics.hpp"

namespace rampart::server::http {

class Chain {
  public:
    Chain(std::vector<Guard> guards, const LiveSettings& settings, db::Pool& pool,
          ops::Metrics& metrics)
        : guards_(std::move(guards)), settings_(settings), pool_(pool), metrics_(metrics) {}

    void Handle(const httplib::Request& request, httplib::Response& response) const;

  private:
    Reply Run(Exchange& exchange) const;
    Reply Answer(Exchange& exchange) const;
    Reply Replay(Exchange& exchange) const;

    const std::vector<Guard> guards_;
    const LiveSettings& settings_;
    db::Pool& pool_;
    ops::Metrics& metrics_;
};

}  // namespace rampart::server::http
