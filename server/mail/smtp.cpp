#include "mail/smtp.hpp"

#include <algorithm>
#include <cstring>
#include <chrono>
#include <new>
#include <utility>

#include <curl/curl.h>

#include "mail/sockets.hpp"

namespace rampart::server::mail {
namespace {

using Clock = std::chrono::steady_clock;

// For the answer to a whole mail, once a stop is asked for: without it the mail would be given up.
constexpr std::chrono::seconds kPatience{3};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "550 5.1.1" of "550 5.1.1 <ada@example.com> no such user": the code, and the one of RFC 3463.
std::string StatusOf(std::string_view reply) {
    std::string status(reply.substr(0, 3));
    if (reply.size() < 9) return status;
    const std::string_view words = reply.substr(4);
    const std::string_view code =
        words.substr(0, std::min(words.find_first_of(" \r\n"), words.size()));
    const bool enhanced = std::ranges::count(code, '.') == 2 && code.size() <= 9 &&
                          std::ranges::all_of(code, [](char c) { return IsDigit(c) || c == '.'; });
    if (enhanced) status.append(" ").append(code);
    return status;
}

// What libcurl's callbacks know of one mail.
struct Transfer {
    std::string_view message;
    const std::function<bool()>& hand_over;
    const std::stop_token& stop;
    Sockets& sockets;
    bool handed_over = false;
    std::string status;  // of the last reply
    Clock::time_point stopped_at = Clock::time_point::max();

    int reply_code() const { return status.empty() ? 0 : std::stoi(status.substr(0, 3)); }
};

std::size_t Read(char* out, std::size_t size, std::size_t count, void* data) noexcept {
    auto& transfer = *static_cast<Transfer*>(data);
    const std::size_t length = std::min(size * count, transfer.message.size());
    if (length == transfer.message.size() && !transfer.handed_over) {
        try {
            if (!transfer.hand_over()) return CURL_READFUNC_ABORT;
        } catch (...) {
            return CURL_READFUNC_ABORT;
        }
        transfer.handed_over = true;
    }
    std::memcpy(out, transfer.message.data(), length);
    transfer.message.remove_prefix(length);
    return length;
}

// libcurl passes each line that the server says; the last is its good-bye, whatever went before.
std::size_t OnReply(char* line, std::size_t size, std::size_t count, void* data) noexcept {
    const std::string_view reply(line, size * count);
    const bool status = reply.size() >= 4 && std::all_of(line, line + 3, IsDigit);
    if (status && !reply.starts_with("221")) {
        try {
            static_cast<Transfer*>(data)->status = StatusOf(reply);
        } catch (const std::bad_alloc&) {
            return 0;
        }
    }
    return reply.size();
}

std::size_t Discard(char*, std::size_t size, std::size_t count, void*) noexcept {
    return size * count;
}

// Called at least once a second; ends the transfer by returning something other than zero.
int OnProgress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    auto& transfer = *static_cast<Transfer*>(data);
    if (!transfer.stop.stop_requested()) return 0;
    const auto now = Clock::now();
    transfer.stopped_at = std::min(transfer.stopped_at, now);
    if (transfer.handed_over && now - transfer.stopped_at < kPatience) return 0;
    transfer.sockets.Cut();
    return 1;
}

// The server refuses us, and would refuse any other mail: authentication is wanted or too weak
// (RFC 4954), STARTTLS is (RFC 3207), or the sender's address is not welcome.
bool IsRefusalOfUs(const Transfer& transfer, std::string_view error) {
    const int code = transfer.reply_code();
    return code == 421 || code == 530 || code == 534 || code == 535 || code == 538 ||
           error.starts_with("MAIL failed");
}

Outcome OutcomeOf(CURLcode result, const Transfer& transfer, std::string_view error) {
    using Kind = Outcome::Kind;
    const int code = transfer.reply_code();
    if (result == CURLE_OK) return {Kind::kSent, transfer.status};
    // libcurl's words for a refusal of a command, and for one of the message.
    const bool refusal =
        result == (transfer.handed_over ? CURLE_WEIRD_SERVER_REPLY : CURLE_SEND_ERROR);
    if (refusal && code >= 400 && code < 600) {
        const Kind kind = IsRefusalOfUs(transfer, error) ? Kind::kUnavailable
                          : code < 500                   ? Kind::kDeferred
                                                         : Kind::kRefused;
        return {kind, "the server said " + transfer.status};
    }
    std::string reason = curl_easy_strerror(result);
    if (code >= 400) reason += " (the server said " + transfer.status + ')';
    return {transfer.handed_over ? Kind::kUncertain : Kind::kUnavailable, std::move(reason)};
}

std::string UrlOf(const SmtpOptions& options) {
    const bool literal = options.host.find(':') != std::string::npos;  // an address of IPv6
    return (options.security == Security::kTls ? "smtps://" : "smtp://") +
           (literal ? '[' + options.host + ']' : options.host);
}

}  // namespace

class SmtpClient::Connection {
  public:
    Connection(const SmtpOptions& options, Sockets& sockets);

    Outcome Send(const std::string& from, const std::string& to, Transfer& transfer);

  private:
    outbox::Curl curl_;
};

SmtpClient::Connection::Connection(const SmtpOptions& options, Sockets& sockets)
    : curl_(options.connection) {
    sockets.Watch(curl_.handle());
    curl_.Set(CURLOPT_URL, UrlOf(options).c_str());
    curl_.Set(CURLOPT_PORT, static_cast<long>(options.port));
    curl_.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_.Set(
        CURLOPT_USE_SSL,
        static_cast<long>(options.security == Security::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!options.username.empty()) {
        curl_.Set(CURLOPT_USERNAME, options.username.c_str());
        curl_.Set(CURLOPT_PASSWORD, options.password.c_str());
    }
    curl_.Set(CURLOPT_SERVER_RESPONSE_TIMEOUT,
              static_cast<long>(options.connection.total_timeout.count() / 1000));
    curl_.Set(CURLOPT_UPLOAD, 1L);
    curl_.Set(CURLOPT_READFUNCTION, Read);
    curl_.Set(CURLOPT_HEADERFUNCTION, OnReply);
    curl_.Set(CURLOPT_WRITEFUNCTION, Discard);
    curl_.Set(CURLOPT_XFERINFOFUNCTION, OnProgress);
}

Outcome SmtpClient::Connection::Send(const std::string& from, const std::string& to,
                                     Transfer& transfer) {
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(
        curl_slist_append(nullptr, to.c_str()), curl_slist_free_all);
    if (!recipients) throw std::bad_alloc();
    char error[CURL_ERROR_SIZE] = "";
    curl_.Set(CURLOPT_MAIL_FROM, from.c_str());
    curl_.Set(CURLOPT_MAIL_RCPT, recipients.get());
    curl_.Set(CURLOPT_READDATA, &transfer);
    curl_.Set(CURLOPT_HEADERDATA, &transfer);
    curl_.Set(CURLOPT_XFERINFODATA, &transfer);
    curl_.Set(CURLOPT_ERRORBUFFER, error);
    const CURLcode result = curl_easy_perform(curl_.handle());
    curl_.Set(CURLOPT_ERRORBUFFER, nullptr);
    curl_.Set(CURLOPT_MAIL_RCPT, nullptr);
    return OutcomeOf(result, transfer, error);
}

SmtpClient::SmtpClient(SmtpOptions options)
    : options_(std::move(options)), sockets_(std::make_unique<Sockets>()) {}
SmtpClient::~SmtpClient() = default;

Outcome SmtpClient::Send(const std::string& from, const std::string& to, std::string_view message,
                         const std::function<bool()>& hand_over, const std::stop_token& stop) {
    if (!connection_) connection_ = std::make_unique<Connection>(options_, *sockets_);
    Transfer transfer{.message = message,
                      .hand_over = hand_over,
                      .stop = stop,
                      .sockets = *sockets_,
                      .status = {}};
    Outcome outcome = connection_->Send(from, to, transfer);
    using Kind = Outcome::Kind;
    const bool answers = outcome.kind != Kind::kUnavailable && outcome.kind != Kind::kUncertain;
    if (!answers) sockets_->Cut();
    if (outcome.kind != Kind::kSent) Disconnect(stop);
    return outcome;
}

void SmtpClient::Disconnect(const std::stop_token& stop) {
    const std::stop_callback cut(stop, [this] { sockets_->Cut(); });
    connection_.reset();
}

}  // namespace rampart::server::mail
