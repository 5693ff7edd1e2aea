#include "ops/management.hpp"

#include <stdexcept>

namespace rampart::server::ops {
namespace {

void Say(httplib::Response& response, int status, const char* text) {
    response.status = status;
    response.set_content(text, "text/plain");
}

}  // namespace

Management::Management(const HttpSettings& settings, Metrics& metrics,
                       std::function<bool()> ready) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(2); };
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1);
    server_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
        Say(response, 200, "alive\n");
    });
    server_.Get("/readyz", [this, ready = std::move(ready)](const httplib::Request&,
                                                            httplib::Response& response) {
        const bool good = !draining_ && ready();
        Say(response, good ? 200 : 503, good ? "ready\n" : "not ready\n");
    });
    server_.Get("/metrics", [&metrics](const httplib::Request&, httplib::Response& response) {
        response.set_content(metrics.Text(), "text/plain; version=0.0.4");
    });
    if (!server_.bind_to_port(settings.management_address, settings.management_port)) {
        throw std::runtime_error("cannot listen on " + settings.management_address + ":" +
                                 std::to_string(settings.management_port));
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
}

Management::~Management() {
    server_.stop();
    thread_.join();
}

}  // namespace rampart::server::ops
