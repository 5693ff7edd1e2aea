#include "http/connection.hpp"

#include <array>
#include <utility>

#include "http/refusal_response.hpp"

namespace rampart::server::http {
namespace {

constexpr std::size_t kReadSize = 16UL * 1024;
constexpr std::size_t kProgressStep = 64UL * 1024;
constexpr std::size_t kMostKept = 4UL * 1024;  // of a buffer that is empty
constexpr int kMostDiscarded = 16;             // reads in one turn

constexpr Refusal kTooSlow{"request_timeout", "the request took too long to arrive"};
constexpr Refusal kOverloaded{"unavailable", "the server has more to do than it can"};

void GiveBack(std::string* buffer) {
    buffer->clear();
    if (buffer->capacity() > kMostKept) buffer->shrink_to_fit();
}

Connection::Wants WaitFor(Transport::Outcome outcome) {
    switch (outcome) {
        case Transport::Outcome::kWantsRead:
            return Connection::Wants::kRead;
        case Transport::Outcome::kWantsWrite:
            return Connection::Wants::kWrite;
        default:
            return Connection::Wants::kEnd;
    }
}

}  // namespace

Connection::Connection(Descriptor socket, std::unique_ptr<Transport> transport, Endpoint client,
                       const ConnectionSettings& settings, std::string https_origin,
                       Clock::time_point now)
    : socket_(std::move(socket)),
      transport_(std::move(transport)),
      client_(std::move(client)),
      settings_(settings),
      https_origin_(std::move(https_origin)),
      now_(now),
      scanner_(settings.limits) {
    Allow(settings_.request);
}

Connection::~Connection() {
    if (response_) response_->Abandon();
}

bool Connection::IsIdle() const {
    return state_ == State::kHandshake ||
           (state_ == State::kReceiving && in_.empty() && out_.empty());
}

Connection::Wants Connection::Advance(Clock::time_point now, const Dispatch& dispatch,
                                      const std::function<void()>& wake) {
    now_ = now;
    std::optional<Wants> wants;
    while (!wants) wants = Step(dispatch, wake);
    return *wants;
}

Connection::Wants Connection::Expire(Clock::time_point now, const Dispatch& dispatch,
                                     const std::function<void()>& wake) {
    const bool can_answer = state_ == State::kReceiving && !in_.empty() && out_.empty();
    if (!can_answer) return Wants::kEnd;
    now_ = now;
    Close(Refuse(kTooSlow, false));
    return Advance(now, dispatch, wake);
}

std::optional<Connection::Wants> Connection::Step(const Dispatch& dispatch,
                                                  const std::function<void()>& wake) {
    if (!out_.empty()) return Send();
    switch (state_) {
        case State::kHandshake:
            return Handshake();
        case State::kReceiving:
            return Receive(dispatch, wake);
        case State::kHandling:
            return Handle();
        case State::kClosing:
            transport_->EndWriting();
            state_ = State::kLingering;
            Allow(settings_.linger);
            return std::nullopt;
        case State::kLingering:
            return Linger();
    }
    return Wants::kEnd;
}

std::optional<Connection::Wants> Connection::Send() {
    const auto [outcome, bytes] = transport_->Write(std::string_view(out_).substr(out_sent_));
    if (outcome != Transport::Outcome::kDone) return WaitFor(outcome);
    Progress(bytes);
    if (response_) response_->Sent(bytes);
    out_sent_ += bytes;
    if (out_sent_ == out_.size()) {
        GiveBack(&out_);
        out_sent_ = 0;
    }
    return std::nullopt;
}

std::optional<Connection::Wants> Connection::Handshake() {
    const auto [outcome, bytes] = transport_->Handshake();
    if (outcome != Transport::Outcome::kDone) return WaitFor(outcome);
    AwaitRequest();
    return std::nullopt;
}

std::optional<Connection::Wants> Connection::Receive(const Dispatch& dispatch,
                                                     const std::function<void()>& wake) {
    TakeRequest(dispatch, wake);
    if (state_ != State::kReceiving || !out_.empty()) return std::nullopt;
    std::array<char, kReadSize> buffer;
    const auto [outcome, bytes] = transport_->Read(buffer.data(), buffer.size());
    if (outcome != Transport::Outcome::kDone) return WaitFor(outcome);
    if (in_.empty()) Allow(settings_.request);
    if (head_) Progress(bytes);
    in_.append(buffer.data(), bytes);
    return std::nullopt;
}

std::optional<Connection::Wants> Connection::Handle() {
    const ResponseChannel::State state = response_->Take(&out_);
    if (!out_.empty()) {
        Allow(settings_.progress);
        return std::nullopt;
    }
    deadline_ = Clock::time_point::max();
    if (state == ResponseChannel::State::kOpen) return Wants::kNothing;
    response_.reset();
    if (state == ResponseChannel::State::kFinishedKeep) {
        AwaitRequest();
    } else {
        state_ = State::kClosing;
    }
    return std::nullopt;
}

// A socket that is closed with bytes unread resets the connection, which can take the answer away
// from a client that has not read it yet.
std::optional<Connection::Wants> Connection::Linger() {
    std::array<char, kReadSize> buffer;
    for (int i = 0; i < kMostDiscarded; ++i) {
        const auto [outcome, bytes] = transport_->Read(buffer.data(), buffer.size());
        if (outcome != Transport::Outcome::kDone) return WaitFor(outcome);
    }
    return Wants::kRead;
}

void Connection::TakeHead() {
    const auto scanned = scanner_.Scan(in_);
    if (const auto* refusal = std::get_if<Refusal>(&scanned)) return Close(Refuse(*refusal, false));
    const auto* size = std::get_if<std::size_t>(&scanned);
    if (size == nullptr) return;
    auto parsed = ParseHead(std::string_view(in_).substr(0, *size), settings_.limits);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) return Close(Refuse(*refusal, false));
    head_ = std::get<RequestHead>(std::move(parsed));
    head_size_ = *size;
    Allow(settings_.progress);
    if (!https_origin_.empty()) Close(RedirectResponse(https_origin_, head_->target));
}

void Connection::TakeRequest(const Dispatch& dispatch, const std::function<void()>& wake) {
    if (!head_) TakeHead();
    if (!head_ || state_ != State::kReceiving) return;
    if (in_.size() - head_size_ < head_->content_length) {
        if (std::exchange(head_->expects_continue, false)) out_ = "HTTP/1.1 100 Continue\r\n\r\n";
        return;
    }
    auto request = std::make_unique<ReceivedRequest>();
    request->head = *std::exchange(head_, std::nullopt);
    request->body = in_.substr(head_size_, request->head.content_length);
    request->client = client_;
    request->response = response_ = std::make_shared<ResponseChannel>(wake);
    in_.erase(0, head_size_ + request->body.size());
    if (in_.empty()) GiveBack(&in_);
    state_ = State::kHandling;
    if (dispatch(request)) return;
    response_.reset();
    if (!request->head.keep_alive) return Close(Refuse(kOverloaded, false));
    out_ = Refuse(kOverloaded, true);
    AwaitRequest();
}

void Connection::AwaitRequest() {
    state_ = State::kReceiving;
    scanner_ = HeadScanner(settings_.limits);
    Allow(in_.empty() ? settings_.idle : settings_.request);
}

std::string Connection::Refuse(const Refusal& refusal, bool keep_alive) {
    const std::string trace_id = RandomTraceId();
    settings_.refused(refusal, trace_id, client_.address);
    return RefusalResponse(refusal, trace_id, keep_alive);
}

void Connection::Close(std::string answer) {
    out_ = std::move(answer);
    state_ = State::kClosing;
    Allow(settings_.progress);
}

void Connection::Allow(std::chrono::milliseconds time) {
    deadline_ = now_ + time;
    progress_ = 0;
}

void Connection::Progress(std::size_t bytes) {
    progress_ += bytes;
    if (progress_ >= kProgressStep) Allow(settings_.progress);
}

}  // namespace rampart::server::http
