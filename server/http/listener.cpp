#include "http/listener.hpp"

#include <stdexcept>

namespace rampart::server::http {

class Listener::Implementation {
  public:
    Implementation(const HttpSettings& settings, RequestHandler handler) {
        if (settings.plain) {
            server = std::make_unique<httplib::Server>();
        } else {
            server = std::make_unique<httplib::SSLServer>(settings.certificate.c_str(),
                                                          settings.private_key.c_str());
        }
        if (!server->is_valid())
            throw std::runtime_error("the certificate or its key cannot be used");
        server->set_tcp_nodelay(true);
        server->set_keep_alive_max_count(1000);
        server->set_payload_max_length(static_cast<std::size_t>(settings.max_body));
        server->new_task_queue = [threads = settings.threads] {
            return new httplib::ThreadPool(static_cast<std::size_t>(threads));
        };
        const httplib::Server::Handler all = [handler = std::move(handler)](
                                                 const httplib::Request& request,
                                                 httplib::Response& response) {
            handler(request, response);
        };
        server->Get(".*", all)
            .Post(".*", all)
            .Put(".*", all)
            .Patch(".*", all)
            .Delete(".*", all)
            .Options(".*", all);
        port = settings.port == 0
                   ? server->bind_to_any_port(settings.address)
                   : (server->bind_to_port(settings.address, settings.port) ? settings.port : -1);
        if (port <= 0)
            throw std::runtime_error("cannot listen on " + settings.address + ":" +
                                     std::to_string(settings.port));
    }

    std::unique_ptr<httplib::Server> server;
    int port;
};

Listener::Listener(const HttpSettings& settings, RequestHandler handler)
    : implementation_(std::make_unique<Implementation>(settings, std::move(handler))) {}
Listener::~Listener() = default;

int Listener::port() const { return implementation_->port; }
void Listener::Run() { implementation_->server->listen_after_bind(); }
void Listener::Stop() { implementation_->server->stop(); }
void Listener::ReloadCertificate() {}

}  // namespace rampart::server::http
