// What Prometheus asks for on the management port. Names follow its conventions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/registry.h>

namespace rampart::server::ops {

class Metrics {
  public:
    Metrics();

    // A request that was answered; `route` is the name of the route table.
    void Count(const std::string& route, int status, double seconds);

    // What the listener answered itself, by the problem's code.
    void CountRefusal(std::string_view code);

    // A value that is read when it is asked for.
    void AddGauge(const std::string& name, const std::string& help, std::function<double()> read);

    std::string Text();

  private:
    struct Gauge {
        prometheus::Gauge* gauge;
        std::function<double()> read;
    };
    prometheus::Registry registry_;
    prometheus::Family<prometheus::Counter>& requests_;
    prometheus::Family<prometheus::Histogram>& seconds_;
    prometheus::Family<prometheus::Counter>& refusals_;
    std::vector<Gauge> gauges_;
};

}  // namespace rampart::server::ops
