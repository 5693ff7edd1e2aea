// The listener with handlers that do what a test of it needs: repeat what they were given, take
// long, answer much, fail. It is configured as rampartd is, and says its port on standard output.
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <pthread.h>
#include <stdexcept>
#include <thread>

#include <nlohmann/json.hpp>

#include "http/listener.hpp"
#include "ops/log.hpp"

namespace {

using namespace rampart::server;
using httplib::Request;
using httplib::Response;

std::atomic<int> handled = 0;

std::size_t Number(const Request& request, const char* name) {
    return std::stoul(request.get_param_value(name));
}

void Echo(const Request& request, Response& response) {
    nlohmann::json seen = {{"method", request.method},
                           {"path", request.path},
                           {"target", request.target},
                           {"body", request.body},
                           {"address", request.remote_addr}};
    for (const auto& [name, value] : request.headers) seen["headers"].push_back({name, value});
    response.set_content(seen.dump(), "application/json");
}

void Stream(const Request& request, Response& response) {
    const std::size_t parts = Number(request, "parts");
    const std::string part(Number(request, "bytes"), 'x');
    response.set_chunked_content_provider(
        "text/plain",
        [parts, part, sent = std::size_t{0}](std::size_t, httplib::DataSink& sink) mutable {
            if (sent++ == parts) {
                sink.done();
                return true;
            }
            return sink.write(part.data(), part.size());
        });
}

void Handle(const Request& request, Response& response) {
    ++handled;
    if (request.path == "/count")
        return response.set_content(std::to_string(handled), "text/plain");
    if (request.path == "/large")
        return response.set_content(std::string(Number(request, "bytes"), 'x'), "text/plain");
    if (request.path == "/slow")
        std::this_thread::sleep_for(std::chrono::milliseconds(Number(request, "ms")));
    if (request.path == "/stream") return Stream(request, response);
    if (request.path == "/empty") {
        response.status = 204;
        return;
    }
    if (request.path == "/throw") throw std::runtime_error("what-nobody-may-read");
    if (request.path == "/throw-number") throw 42;
    Echo(request, response);
}

}  // namespace

int main() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ops::StartLog("info");
    try {
        http::Listener listener(
            Load("").http, Handle,
            [](const http::Refusal&, const std::string&, const std::string&) {});
        std::cout << "port " << listener.port() << std::endl;
        std::thread running([&] { listener.Run(); });
        for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGHUP;)
            listener.ReloadCertificate();
        listener.Stop();
        running.join();
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
