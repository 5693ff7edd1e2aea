// One answer on its way from the worker that makes it to the poller that sends it.
//
// A worker never waits for a client that reads slowly: what it writes is kept here. Only an answer
// of many writes (an export) waits, while more than kMostWaiting has not been sent yet, and the
// poller ends it by Abandon() if the client makes no progress.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace rampart::server::http {

class ResponseChannel {
  public:
    static constexpr std::size_t kMostWaiting = 1024UL * 1024;

    // `wake` is called in the worker's thread when there is something for the poller to do.
    explicit ResponseChannel(std::function<void()> wake) : wake_(std::move(wake)) {}

    // The worker's side.

    // False if the client has gone. A single write is taken whole, however large.
    bool Write(std::string_view bytes);
    // Lets the poller send what was written so far.
    void Flush() { wake_(); }
    void Finish(bool keep_alive);
    bool IsAbandoned() const;

    // The poller's side.

    enum class State { kOpen, kFinishedKeep, kFinishedClose };
    // Appends what was written since to `out`, and says whether that was all.
    State Take(std::string* out);
    // So much of what was taken has been sent.
    void Sent(std::size_t bytes);
    void Abandon();

  private:
    const std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable sent_;
    std::string written_;
    std::size_t waiting_ = 0;
    bool is_abandoned_ = false;
    State state_ = State::kOpen;
};

}  // namespace rampart::server::http
