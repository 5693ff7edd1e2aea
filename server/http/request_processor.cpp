#include "http/request_processor.hpp"

#include <utility>

#include "http/problem.hpp"
#include "http/refusal_response.hpp"

namespace rampart::server::http {
namespace {

constexpr Refusal kFailed{"internal_error", ""};

// Gives the library a request line without headers, and takes its answer.
class ChannelStream final : public httplib::Stream {
  public:
    explicit ChannelStream(const ReceivedRequest& request)
        : request_(request),
          input_(request.head.method + ' ' + request.head.target + " HTTP/1.1\r\n\r\n") {}

    bool has_written() const { return has_written_; }
    bool has_said_close() const { return has_said_close_; }

    bool is_readable() const override { return true; }
    bool is_writable() const override { return !request_.response->IsAbandoned(); }

    ssize_t read(char* into, std::size_t size) override {
        const std::size_t count = input_.copy(into, size, read_);
        read_ += count;
        return static_cast<ssize_t>(count);
    }

    // An answer whose length its head does not say is a stream, of which each part is due at once.
    ssize_t write(const char* bytes, std::size_t size) override {
        const std::string_view part(bytes, size);
        if (!std::exchange(has_written_, true)) {
            is_stream_ = part.find("\r\nContent-Length: ") == part.npos;
            has_said_close_ = part.find("\r\nConnection: close\r\n") != part.npos;
        }
        if (!request_.response->Write(part)) return -1;
        if (is_stream_) request_.response->Flush();
        return static_cast<ssize_t>(size);
    }

    void get_remote_ip_and_port(std::string& address, int& port) const override {
        address = request_.client.address;
        port = request_.client.port;
    }
    void get_local_ip_and_port(std::string& address, int& port) const override {
        address.clear();
        port = 0;
    }
    socket_t socket() const override { return INVALID_SOCKET; }

  private:
    const ReceivedRequest& request_;
    const std::string input_;
    std::size_t read_ = 0;
    bool has_written_ = false;
    bool is_stream_ = false;
    bool has_said_close_ = false;
};

}  // namespace

RequestProcessor::RequestProcessor(Handler handler) : handler_(std::move(handler)) {
    // Before the library's own routes, and before it would read a body.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
        handler_(request, response);
        return HandlerResponse::Handled;
    });
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
        if (is_ending_ && !response.has_header("Connection"))
            response.set_header("Connection", "close");
        response.headers.erase("Keep-Alive");
        response.headers.erase("Accept-Ranges");
        const bool has_no_content = response.status == 204 || response.status == 304;
        if (has_no_content) response.headers.erase("Content-Length");
    });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
            const Problem problem("internal_error");
            response.headers.clear();
            response.status = problem.status();
            response.set_content(problem.Body(RandomTraceId()).dump(), kProblemType);
        });
    // The library stops streams while it has no socket to listen on.
    svr_sock_ = 0;
}

void RequestProcessor::Process(const ReceivedRequest& request) {
    bool keep_alive = false;
    try {
        Respond(request, &keep_alive);
    } catch (...) {
        keep_alive = false;
    }
    request.response->Finish(keep_alive);
}

void RequestProcessor::Respond(const ReceivedRequest& request, bool* keep_alive) {
    ChannelStream stream(request);
    const auto take_over = [&](httplib::Request& taken) {
        taken.headers.clear();
        for (const auto& [name, value] : request.head.headers) taken.headers.emplace(name, value);
        taken.body = request.body;
    };
    const bool ends = !request.head.keep_alive;
    bool is_closed = ends;
    const bool is_written = process_request(stream, ends, is_closed, take_over);
    *keep_alive = is_written && !ends && !stream.has_said_close();
    if (!stream.has_written())
        (void)request.response->Write(RefusalResponse(kFailed, RandomTraceId(), *keep_alive));
}

}  // namespace rampart::server::http
