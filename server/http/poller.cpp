#include "http/poller.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rampart::server::http {
namespace {

constexpr std::uint64_t kEventId = 0;  // ids from 1 are entrances', then connections'
constexpr std::size_t kMostEvents = 64;
constexpr int kMostAccepted = 64;  // in one turn
constexpr std::chrono::milliseconds kSweepPeriod{250};

struct Address {
    Endpoint endpoint;
    std::string group;  // what counts as one client
};

Address ReadAddress(const sockaddr_storage& storage) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        (void)inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return {{text.data(), ntohs(v4.sin_port)}, text.data()};
    }
    if (storage.ss_family != AF_INET6) return {{"", 0}, ""};
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        (void)inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
        return {{text.data(), ntohs(v6.sin6_port)}, text.data()};
    }
    (void)inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    constexpr std::size_t kNetwork = 8;
    return {{text.data(), ntohs(v6.sin6_port)},
            std::string(reinterpret_cast<const char*>(v6.sin6_addr.s6_addr), kNetwork)};
}

std::uint32_t EventsOf(Connection::Wants wants) {
    switch (wants) {
        case Connection::Wants::kRead:
            return EPOLLIN;
        case Connection::Wants::kWrite:
            return EPOLLOUT;
        default:
            return 0;
    }
}

}  // namespace

Poller::Poller(PollerSettings settings, Dispatch dispatch)
    : settings_(std::move(settings)),
      dispatch_(std::move(dispatch)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !event_) throw std::runtime_error("cannot make an epoll or event descriptor");
    Watch(event_.get(), kEventId, EPOLLIN, EPOLL_CTL_ADD);
}

void Poller::Listen(Descriptor socket, const TlsContext* tls, std::string https_origin) {
    Watch(socket.get(), next_id_++, EPOLLIN, EPOLL_CTL_ADD);
    entrances_.push_back({std::move(socket), tls, std::move(https_origin)});
}

void Poller::Run() {
    std::array<epoll_event, kMostEvents> events;
    now_ = Clock::now();
    while (drain_ends_ == Clock::time_point::max() || !connections_.empty()) {
        const bool has_deadlines = !connections_.empty() || is_accepting_paused_;
        const int timeout = has_deadlines ? static_cast<int>(kSweepPeriod.count()) : -1;
        const int count = epoll_wait(epoll_.get(), events.data(), kMostEvents, timeout);
        now_ = Clock::now();
        for (int i = 0; i < count; ++i) {
            const Id id = events[i].data.u64;
            if (id == kEventId) {
                HandleWoken();
            } else if (id <= entrances_.size()) {
                Accept(entrances_[id - 1]);
            } else {
                HandleEvents(id, events[i].events);
            }
        }
        if (now_ >= next_sweep_) Sweep();
    }
}

void Poller::Stop(std::chrono::milliseconds grace, std::chrono::milliseconds drain) {
    {
        const std::lock_guard lock(mutex_);
        stop_ = {grace, drain};
    }
    Wake(kEventId);
}

void Poller::Watch(int fd, Id id, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0)
        throw std::runtime_error("cannot watch a descriptor");
}

void Poller::Wake(Id id) {
    {
        const std::lock_guard lock(mutex_);
        woken_.push_back(id);
        if (woken_.size() > 1) return;
    }
    const std::uint64_t one = 1;
    (void)!write(event_.get(), &one, sizeof one);
}

void Poller::HandleWoken() {
    std::uint64_t count = 0;
    (void)!read(event_.get(), &count, sizeof count);
    std::vector<Id> woken;
    {
        const std::lock_guard lock(mutex_);
        woken.swap(woken_);
    }
    for (const Id id : woken) {
        if (id == kEventId) {
            StopAccepting();
        } else {
            Advance(id, Cause::kReady);
        }
    }
}

bool Poller::Accept(Entrance& entrance) {
    for (int i = 0; i < kMostAccepted && entrance.socket; ++i) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        Descriptor socket(accept4(entrance.socket.get(), reinterpret_cast<sockaddr*>(&storage),
                                  &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == ECONNABORTED || errno == EINTR) continue;
            // Of descriptors or memory there is none: some may be free by the next sweep.
            if (errno != EAGAIN && errno != EWOULDBLOCK) PauseAccepting(true);
            return false;
        }
        Address address = ReadAddress(storage);
        if (!Admit(address.endpoint.address, address.group)) continue;
        try {
            AddConnection(entrance, std::move(socket), std::move(address.endpoint), address.group);
        } catch (const std::exception&) {
            PauseAccepting(true);
            return false;
        }
    }
    return entrance.socket.get() >= 0;
}

// Makes room by ending whoever has been idle for longest: an address that only holds connections
// cannot keep others out.
bool Poller::Admit(const std::string& address, const std::string& group) {
    const auto found = of_group_.find(group);
    const std::size_t held = found == of_group_.end() ? 0 : found->second;
    if (held >= settings_.most_of_one_address && !settings_.is_unbounded(address)) return false;
    return connections_.size() < settings_.most_connections || EndOldestIdle();
}

bool Poller::EndOldestIdle() {
    auto oldest = connections_.end();
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
        if (!at->second.connection->IsIdle()) continue;
        if (oldest == connections_.end() ||
            at->second.connection->deadline() < oldest->second.connection->deadline())
            oldest = at;
    }
    if (oldest == connections_.end()) return false;
    End(oldest->first);
    return true;
}

void Poller::AddConnection(const Entrance& entrance, Descriptor socket, Endpoint client,
                           const std::string& group) {
    const int fd = socket.get();
    const int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    auto transport = entrance.tls ? entrance.tls->MakeTransport(fd) : MakePlainTransport(fd);
    const Id id = next_id_++;
    Held held{
        std::make_unique<Connection>(std::move(socket), std::move(transport), std::move(client),
                                     settings_.connection, entrance.https_origin, now_),
        0, group};
    Watch(fd, id, 0, EPOLL_CTL_ADD);
    const auto counted = of_group_.try_emplace(group, 0).first;
    connections_.emplace(id, std::move(held));
    ++counted->second;
    Advance(id, Cause::kReady);
}

void Poller::HandleEvents(Id id, std::uint32_t events) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    // Of a connection that waits for its worker only its end is told.
    if (found->second.events == 0 && (events & (EPOLLHUP | EPOLLERR)) != 0) return End(id);
    Advance(id, Cause::kReady);
}

void Poller::Advance(Id id, Cause cause) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Held& held = found->second;
    const auto wake = [this, id] { Wake(id); };
    try {
        const auto wants = cause == Cause::kExpired
                               ? held.connection->Expire(now_, dispatch_, wake)
                               : held.connection->Advance(now_, dispatch_, wake);
        if (wants == Connection::Wants::kEnd) return End(id);
        const std::uint32_t events = EventsOf(wants);
        if (events == held.events) return;
        Watch(held.connection->descriptor(), id, events, EPOLL_CTL_MOD);
        held.events = events;
    } catch (const std::exception&) {
        // Out of memory, or out of randomness: it is this client's loss alone.
        End(id);
    }
}

void Poller::End(Id id) {
    const auto found = connections_.find(id);
    const auto counted = of_group_.find(found->second.group);
    if (--counted->second == 0) of_group_.erase(counted);
    connections_.erase(found);
}

void Poller::Sweep() {
    next_sweep_ = now_ + kSweepPeriod;
    if (is_accepting_paused_) PauseAccepting(false);
    std::vector<std::pair<Id, Cause>> due;
    for (const auto& [id, held] : connections_) {
        const bool must_end =
            now_ >= drain_ends_ || (now_ >= grace_ends_ && held.connection->IsIdle());
        if (must_end) {
            due.emplace_back(id, Cause::kStopped);
        } else if (now_ >= held.connection->deadline()) {
            due.emplace_back(id, Cause::kExpired);
        }
    }
    for (const auto& [id, cause] : due) cause == Cause::kStopped ? End(id) : Advance(id, cause);
}

void Poller::PauseAccepting(bool pause) {
    is_accepting_paused_ = pause;
    for (std::size_t i = 0; i < entrances_.size(); ++i) {
        if (!entrances_[i].socket) continue;
        Watch(entrances_[i].socket.get(), i + 1, pause ? 0U : EPOLLIN, EPOLL_CTL_MOD);
    }
}

// What the kernel has accepted by now is still served.
void Poller::StopAccepting() {
    {
        const std::lock_guard lock(mutex_);
        grace_ends_ = now_ + stop_->first;
        drain_ends_ = now_ + stop_->second;
    }
    for (Entrance& entrance : entrances_) {
        while (Accept(entrance)) {
        }
        entrance.socket = Descriptor();
    }
}

}  // namespace rampart::server::http
