#include "ops/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

namespace rampart::server::ops {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

}  // namespace

Metrics::Metrics()
    : requests_(prometheus::BuildCounter()
                    .Name("rampartd_requests_total")
                    .Help("Requests by route and status.")
                    .Register(registry_)),
      seconds_(prometheus::BuildHistogram()
                   .Name("rampartd_request_seconds")
                   .Help("Time to answer, by route.")
                   .Register(registry_)),
      refusals_(prometheus::BuildCounter()
                    .Name("rampartd_refusals_total")
                    .Help("What was no request, or one too many, by the problem's code.")
                    .Register(registry_)) {}

void Metrics::Count(const std::string& route, int status, double seconds) {
    requests_.Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
    seconds_.Add({{"route", route}}, kSeconds).Observe(seconds);
}

void Metrics::CountRefusal(std::string_view code) {
    refusals_.Add({{"code", std::string(code)}}).Increment();
}

void Metrics::AddGauge(const std::string& name, const std::string& help,
                       std::function<double()> read) {
    prometheus::Gauge& gauge =
        prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add({});
    gauges_.push_back({&gauge, std::move(read)});
}

std::string Metrics::Text() {
    for (const Gauge& gauge : gauges_) gauge.gauge->Set(gauge.read());
    return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace rampart::server::ops
