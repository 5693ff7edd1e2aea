// The head of a request (RFC 9112), read strictly: what two readers could understand in two ways is
// refused, so that no proxy in front of this server can disagree with it about where a request
// ends. Nothing here knows of a socket: bytes go in, a head or a refusal comes out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rampart::server::http {

struct HeadLimits {
    std::size_t bytes = 64UL * 1024;
    std::size_t lines = 100;
    std::size_t line = 8000;
    std::size_t body = 1024UL * 1024;
};

// The answer to what is not taken, after which the connection closes.
struct Refusal {
    std::string_view code;    // a problem's (problem.hpp), which says the status
    std::string_view detail;  // says nothing of what was sent
};

struct RequestHead {
    std::string method;
    std::string target;  // begins with "/"; its percent-encoding is whole, and is UTF-8 without NUL
    // As sent and in order, without those that concern the connection alone (Connection, Expect and
    // their like), that would change the answer's bytes (Range, Accept-Encoding), or that are
    // spelled like variables of a server (REMOTE_ADDR: any name with an underscore).
    std::vector<std::pair<std::string, std::string>> headers;
    std::size_t content_length = 0;
    bool keep_alive = true;
    bool expects_continue = false;
};

// Looks for the end of a head while its bytes come in, each byte once.
class HeadScanner {
  public:
    struct Incomplete {};
    using Result = std::variant<Incomplete, std::size_t, Refusal>;  // size: of the whole head

    explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

    // `bytes` begins with those of the call before.
    Result Scan(std::string_view bytes);

  private:
    HeadLimits limits_;
    std::size_t seen_ = 0;
    std::size_t line_start_ = 0;
    std::size_t lines_ = 0;
};

// Reads a head as HeadScanner found it, its empty line included.
std::variant<RequestHead, Refusal> ParseHead(std::string_view head, const HeadLimits& limits);

}  // namespace rampart::server::http
