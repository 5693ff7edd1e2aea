// One client's connection, from its handshake to its end, as a state machine that never blocks.
//
//   handshake -> receiving -> handling -> receiving ...     requests come one after the other
//                    |            |
//                    +--------> closing -> lingering -> end
//
// A request goes to a worker when all of it has arrived, and its answer is sent by the poller, so
// that a client is only ever as slow at its own cost. Input is not read while a request is handled:
// a client that pipelines waits in its own socket. The poller's thread alone calls this class.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/received_request.hpp"
#include "http/transport.hpp"

namespace rampart::server::http {

using Clock = std::chrono::steady_clock;

// Told of a request that is answered before it reaches a worker; the id is the one in the answer.
using RefusalObserver = std::function<void(const Refusal& refusal, const std::string& trace_id,
                                           const std::string& client_address)>;

struct ConnectionSettings {
    HeadLimits limits;
    std::chrono::milliseconds request{10'000};   // for a handshake; for a head from its first byte
    std::chrono::milliseconds progress{10'000};  // for each 64 KiB of a body or an answer
    std::chrono::milliseconds idle{60'000};      // between requests, and before the first
    std::chrono::milliseconds linger{2'000};     // for a client to read the last answer
    RefusalObserver refused;
};

class Connection {
  public:
    enum class Wants { kRead, kWrite, kNothing, kEnd };

    // If `https_origin` is not empty, every request is sent there instead of being handled.
    Connection(Descriptor socket, std::unique_ptr<Transport> transport, Endpoint client,
               const ConnectionSettings& settings, std::string https_origin, Clock::time_point now);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int descriptor() const { return socket_.get(); }
    const std::string& client_address() const { return client_.address; }
    Clock::time_point deadline() const { return deadline_; }
    // Between requests, or before the first byte of one.
    bool IsIdle() const;

    // Goes as far as it can without waiting, and says for what it has to wait. `wake` is called, in
    // any thread, when a worker has got further.
    Wants Advance(Clock::time_point now, const Dispatch& dispatch,
                  const std::function<void()>& wake);
    // The deadline has passed.
    Wants Expire(Clock::time_point now, const Dispatch& dispatch,
                 const std::function<void()>& wake);

  private:
    enum class State { kHandshake, kReceiving, kHandling, kClosing, kLingering };

    // One step of each state: what has to be waited for, or nothing, and then the next step can be
    // made at once.
    std::optional<Wants> Step(const Dispatch& dispatch, const std::function<void()>& wake);
    std::optional<Wants> Send();
    std::optional<Wants> Handshake();
    std::optional<Wants> Receive(const Dispatch& dispatch, const std::function<void()>& wake);
    std::optional<Wants> Handle();
    std::optional<Wants> Linger();

    void TakeHead();
    void TakeRequest(const Dispatch& dispatch, const std::function<void()>& wake);
    void AwaitRequest();
    std::string Refuse(const Refusal& refusal, bool keep_alive);
    // Sends `answer` and nothing after it.
    void Close(std::string answer);
    void Allow(std::chrono::milliseconds time);
    void Progress(std::size_t bytes);

    const Descriptor socket_;
    const std::unique_ptr<Transport> transport_;
    const Endpoint client_;
    const ConnectionSettings& settings_;
    const std::string https_origin_;

    State state_ = State::kHandshake;
    Clock::time_point now_;
    Clock::time_point deadline_;
    std::size_t progress_ = 0;

    std::string in_;
    HeadScanner scanner_;
    std::optional<RequestHead> head_;
    std::size_t head_size_ = 0;

    std::string out_;
    std::size_t out_sent_ = 0;
    std::shared_ptr<ResponseChannel> response_;
};

}  // namespace rampart::server::http
