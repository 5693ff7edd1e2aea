#include "http/transport.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace rampart::server::http {
namespace {

class PlainTransport final : public Transport {
  public:
    explicit PlainTransport(int fd) : fd_(fd) {}

    Result Handshake() override { return {Outcome::kDone}; }

    Result Read(char* into, std::size_t size) override {
        const ssize_t got = recv(fd_, into, size, 0);
        if (got == 0) return {Outcome::kClosed};
        return ResultOf(got, Outcome::kWantsRead);
    }

    Result Write(std::string_view bytes) override {
        return ResultOf(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), Outcome::kWantsWrite);
    }

    void EndWriting() override { (void)shutdown(fd_, SHUT_WR); }

  private:
    static Result ResultOf(ssize_t bytes, Outcome if_not_yet) {
        if (bytes >= 0) return {Outcome::kDone, static_cast<std::size_t>(bytes)};
        const bool is_later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        return {is_later ? if_not_yet : Outcome::kClosed};
    }

    int fd_;
};

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) (void)close(fd_);
}

std::unique_ptr<Transport> MakePlainTransport(int fd) {
    return std::make_unique<PlainTransport>(fd);
}

}  // namespace rampart::server::http
