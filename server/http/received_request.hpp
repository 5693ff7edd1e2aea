// A request that has arrived whole, and where its answer goes: the unit of a worker's work.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/request_head.hpp"
#include "http/response_channel.hpp"

namespace rampart::server::http {

struct Endpoint {
    std::string address;  // numeric
    int port = 0;
};

struct ReceivedRequest {
    RequestHead head;
    std::string body;
    Endpoint client;
    std::shared_ptr<ResponseChannel> response;
};

// Takes a request to work on; false, and nothing taken, if too much waits already.
using Dispatch = std::function<bool(std::unique_ptr<ReceivedRequest>&)>;

}  // namespace rampart::server::http
