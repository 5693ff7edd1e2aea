// cpp-httplib, kept away from the network: it is given one request at a time that was read and
// checked before, calls the handler, and writes the answer.
//
// Of the library's reading only the request line is used: it would decode header values, guess at
// bodies without a length, bound forms at 8 KiB and inflate what is compressed.
#pragma once

#include <atomic>
#include <functional>

#include <httplib.h>

#include "http/received_request.hpp"

namespace rampart::server::http {

class RequestProcessor final : private httplib::Server {
  public:
    using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

    explicit RequestProcessor(Handler handler);

    // In any thread. Whatever the handler throws is answered by 500.
    void Process(const ReceivedRequest& request);

    // From now on answers end their connections.
    void EndConnections() { is_ending_ = true; }

  private:
    void Respond(const ReceivedRequest& request, bool* keep_alive);

    const Handler handler_;
    std::atomic<bool> is_ending_ = false;
};

}  // namespace rampart::server::http
