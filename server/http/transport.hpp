// One side of a connection without blocking: bytes over TCP, plain or under TLS.
//
// Only the poller's thread touches a transport, so neither sockets nor TLS states are locked.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace rampart::server::http {

// A file descriptor that is closed with its owner.
class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

class Transport {
  public:
    enum class Outcome { kDone, kWantsRead, kWantsWrite, kClosed };
    struct Result {
        Outcome outcome;
        std::size_t bytes = 0;
    };

    virtual ~Transport() = default;
    virtual Result Handshake() = 0;
    virtual Result Read(char* into, std::size_t size) = 0;
    virtual Result Write(std::string_view bytes) = 0;
    // Says that nothing more will be written. What the peer still sends can be read.
    virtual void EndWriting() = 0;
};

// The socket stays its owner's, who keeps it for as long as the transport lives.
std::unique_ptr<Transport> MakePlainTransport(int fd);

}  // namespace rampart::server::http
