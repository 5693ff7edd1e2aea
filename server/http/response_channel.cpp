#include "http/response_channel.hpp"

namespace rampart::server::http {

bool ResponseChannel::Write(std::string_view bytes) {
    std::unique_lock lock(mutex_);
    if (waiting_ >= kMostWaiting && !is_abandoned_) {
        lock.unlock();
        wake_();
        lock.lock();
        sent_.wait(lock, [this] { return waiting_ < kMostWaiting || is_abandoned_; });
    }
    if (is_abandoned_) return false;
    written_ += bytes;
    waiting_ += bytes.size();
    return true;
}

void ResponseChannel::Finish(bool keep_alive) {
    {
        const std::lock_guard lock(mutex_);
        state_ = keep_alive ? State::kFinishedKeep : State::kFinishedClose;
    }
    wake_();
}

bool ResponseChannel::IsAbandoned() const {
    const std::lock_guard lock(mutex_);
    return is_abandoned_;
}

ResponseChannel::State ResponseChannel::Take(std::string* out) {
    const std::lock_guard lock(mutex_);
    if (out->empty()) {
        out->swap(written_);
    } else {
        *out += written_;
        written_.clear();
    }
    return state_;
}

void ResponseChannel::Sent(std::size_t bytes) {
    {
        const std::lock_guard lock(mutex_);
        waiting_ -= bytes;
    }
    sent_.notify_one();
}

void ResponseChannel::Abandon() {
    {
        const std::lock_guard lock(mutex_);
        is_abandoned_ = true;
    }
    sent_.notify_one();
}

}  // namespace rampart::server::http
