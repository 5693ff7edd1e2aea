// The thread that holds every connection: accepts them, moves their bytes, ends those that are too
// slow. It waits for all of them at once (epoll), so that an idle or slow connection costs its
// memory and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/connection.hpp"
#include "http/tls.hpp"

namespace rampart::server::http {

struct PollerSettings {
    ConnectionSettings connection;
    std::size_t most_connections = 4096;
    std::size_t most_of_one_address = 256;
    // Whether an address may have any number: a proxy, which brings many clients.
    std::function<bool(const std::string& address)> is_unbounded;
};

class Poller {
  public:
    Poller(PollerSettings settings, Dispatch dispatch);

    // Before Run(). `tls` is null for plain HTTP, and outlives the poller; for `https_origin` see
    // Connection.
    void Listen(Descriptor socket, const TlsContext* tls, std::string https_origin);

    // Until Stop() was called and every connection has ended.
    void Run();

    // From any thread. Accepts nothing more; answers what has begun, and what still comes within
    // `grace` on connections that are open; ends whatever is left after `drain`.
    void Stop(std::chrono::milliseconds grace, std::chrono::milliseconds drain);

  private:
    using Id = std::uint64_t;
    struct Entrance {
        Descriptor socket;
        const TlsContext* tls;
        std::string https_origin;
    };
    struct Held {
        std::unique_ptr<Connection> connection;
        std::uint32_t events;
        std::string group;  // what counts as one client
    };
    enum class Cause { kReady, kExpired, kStopped };

    void Watch(int fd, Id id, std::uint32_t events, int operation);
    void Wake(Id id);
    void HandleWoken();

    // Whether more clients may be waiting.
    bool Accept(Entrance& entrance);
    bool Admit(const std::string& address, const std::string& group);
    bool EndOldestIdle();
    void AddConnection(const Entrance& entrance, Descriptor socket, Endpoint client,
                       const std::string& group);
    void PauseAccepting(bool pause);
    void StopAccepting();

    void HandleEvents(Id id, std::uint32_t events);
    void Advance(Id id, Cause cause);
    void End(Id id);
    void Sweep();

    const PollerSettings settings_;
    const Dispatch dispatch_;
    const Descriptor epoll_;
    const Descriptor event_;
    std::vector<Entrance> entrances_;
    bool is_accepting_paused_ = false;
    std::unordered_map<Id, Held> connections_;
    std::unordered_map<std::string, std::size_t> of_group_;
    Id next_id_ = 1;
    Clock::time_point now_;
    Clock::time_point next_sweep_;
    Clock::time_point grace_ends_ = Clock::time_point::max();
    Clock::time_point drain_ends_ = Clock::time_point::max();

    std::mutex mutex_;
    std::vector<Id> woken_;  // under mutex_, as is what follows
    std::optional<std::pair<std::chrono::milliseconds, std::chrono::milliseconds>> stop_;
};

}  // namespace rampart::server::http
