#include "http/listener.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <malloc.h>
#include <optional>
#include <sys/resource.h>

#include "http/listening_socket.hpp"
#include "http/network.hpp"
#include "http/poller.hpp"
#include "http/request_processor.hpp"
#include "http/tls.hpp"
#include "http/worker_pool.hpp"
#include "ops/log.hpp"

namespace rampart::server::http {
namespace {

// How many requests may wait for each thread. What is beyond it would wait too long to be of use.
constexpr std::size_t kQueuedPerThread = 32;
// Of all connections, what one client may have: a quarter.
constexpr std::size_t kClientsAtLeast = 4;
constexpr std::size_t kReserved = 256;  // descriptors
constexpr int kLargeAnswer = 128 * 1024;
// For clients that send on an open connection before they know that it is about to close.
constexpr std::chrono::milliseconds kDrainGrace{1000};

std::vector<Network> Proxies(const HttpSettings& settings) {
    std::vector<Network> networks;
    for (const std::string& text : settings.trusted_proxies) {
        if (const auto network = Network::Parse(text)) networks.push_back(*network);
    }
    return networks;
}

// How many connections there are descriptors for. Those of the database and of files must not be
// used up by clients; the system's limit for a user's processes is raised as far as it lets us.
std::size_t MostConnections(const HttpSettings& settings) {
    const auto wanted = static_cast<std::size_t>(settings.max_connections);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, wanted + kReserved));
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted + kReserved) ops::LogInfo("fewer_connections_than_configured");
    return std::min<std::size_t>(wanted,
                                 std::max<rlim_t>(limit.rlim_cur, 2 * kReserved) - kReserved);
}

PollerSettings PollerSettingsOf(const HttpSettings& settings, RefusalObserver refused) {
    PollerSettings made;
    made.connection.refused = std::move(refused);
    made.connection.limits.body = static_cast<std::size_t>(settings.max_body);
    made.connection.request = made.connection.progress =
        std::chrono::seconds(settings.request_seconds);
    made.most_connections = MostConnections(settings);
    made.most_of_one_address = made.most_connections / kClientsAtLeast;
    made.is_unbounded = [proxies = Proxies(settings)](const std::string& address) {
        return AnyContains(proxies, address);
    };
    return made;
}

// Where plain HTTP is sent to: what clients know the server as.
std::string HttpsOrigin(const HttpSettings& settings, int port) {
    std::string origin = settings.public_url;
    if (origin.empty()) origin = "https://localhost:" + std::to_string(port);
    while (origin.ends_with('/')) origin.pop_back();
    return origin;
}

}  // namespace

// The poller offers whole requests to the workers, which call the handler through the processor.
class Listener::Implementation {
  public:
    Implementation(const HttpSettings& settings, RequestHandler handler, RefusalObserver refused)
        : drain_(std::chrono::seconds(settings.drain_seconds)),
          processor_(std::move(handler)),
          poller_(PollerSettingsOf(settings, std::move(refused)),
                  [this](std::unique_ptr<ReceivedRequest>& request) {
                      return workers_.Offer(request);
                  }),
          workers_(static_cast<std::size_t>(settings.threads),
                   static_cast<std::size_t>(settings.threads) * kQueuedPerThread,
                   [this](const ReceivedRequest& request) { processor_.Process(request); }) {
        // Large answers are given back to the system when they are sent, and not kept for others.
        (void)mallopt(M_MMAP_THRESHOLD, kLargeAnswer);
        if (!settings.plain)
            tls_.emplace(TlsSettings{settings.certificate, settings.private_key, settings.client_ca,
                                     settings.ocsp_response});
        Descriptor socket = ListenOn(settings.address, settings.port);
        port_ = PortOf(socket);
        poller_.Listen(std::move(socket), tls_ ? &*tls_ : nullptr, "");
        if (settings.redirect_port != 0 && !settings.plain)
            poller_.Listen(ListenOn(settings.address, settings.redirect_port), nullptr,
                           HttpsOrigin(settings, port_));
    }

    int port() const { return port_; }

    void Run() { poller_.Run(); }

    void Stop() {
        processor_.EndConnections();
        poller_.Stop(std::min(kDrainGrace, drain_), drain_);
    }

    void ReloadCertificate() {
        if (tls_) tls_->Reload();
    }

  private:
    const std::chrono::milliseconds drain_;
    std::optional<TlsContext> tls_;
    int port_ = 0;
    RequestProcessor processor_;
    Poller poller_;
    WorkerPool workers_;  // last, because its end waits for handlers, which use the others
};

Listener::Listener(const HttpSettings& settings, RequestHandler handler, RefusalObserver refused)
    : implementation_(
          std::make_unique<Implementation>(settings, std::move(handler), std::move(refused))) {}
Listener::~Listener() = default;

int Listener::port() const { return implementation_->port(); }
void Listener::Run() { implementation_->Run(); }
void Listener::Stop() { implementation_->Stop(); }
void Listener::ReloadCertificate() {
    try {
        implementation_->ReloadCertificate();
        ops::LogInfo("certificate_reloaded");
    } catch (const std::exception& error) {
        ops::LogInfo("certificate_not_reloaded", error.what());
    }
}

}  // namespace rampart::server::http
