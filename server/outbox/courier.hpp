// Whoever takes the messages of one channel out of the outbox to their recipients.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

namespace rampart::server::outbox {

struct Message {
    std::string id;  // a UUID, the same at each attempt
    std::string recipient;
    std::string template_name;
    std::map<std::string, std::string, std::less<>> values;
    std::chrono::system_clock::time_point queued_at;
};

struct Outcome {
    enum class Kind {
        kSent,         // the other side has it
        kDeferred,     // the other side says: not now
        kRefused,      // the other side says: never
        kUnavailable,  // nobody there, or nobody who takes anything from us; nothing about this one
        kUncertain,    // all was written, and no answer came: it must not be sent again
    };
    Kind kind;
    // Reply codes and the names of libcurl's errors. Never a recipient or the other side's own
    // words, which may quote one.
    std::string reason;
};

// Not for more than one thread.
class Courier {
  public:
    virtual ~Courier() = default;

    // Throws std::invalid_argument, which quotes nothing, for a message that cannot be written.
    // `hand_over` is for couriers whose other side cannot tell that it is given the same message
    // twice: to be called before its last bytes; where it returns false or throws, they must not be
    // written. Cut off by a stop request.
    virtual Outcome Deliver(const Message& message, const std::function<bool()>& hand_over,
                            const std::stop_token& stop) = 0;

    // Takes leave of the other side, for as long as there is nothing to deliver.
    virtual void Disconnect(const std::stop_token&) {}

    // The longest that Deliver() may take.
    virtual std::chrono::milliseconds patience() const = 0;
};

}  // namespace rampart::server::outbox
