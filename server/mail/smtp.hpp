// Hands mails to an SMTP server, over libcurl.
//
// Not for more than one thread. The connection is kept from one mail to the next.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "outbox/courier.hpp"
#include "outbox/curl.hpp"

namespace rampart::server::mail {

using outbox::Outcome;
class Sockets;

enum class Security {
    kStartTls,  // a server that offers none is not used
    kTls,       // from the first byte
    kNone,
};

struct SmtpOptions {
    std::string host;
    std::uint16_t port = 587;
    Security security = Security::kStartTls;
    std::string username;  // empty: without authentication
    std::string password;
    outbox::ConnectionOptions connection;
};

class SmtpClient {
  public:
    explicit SmtpClient(SmtpOptions options);
    ~SmtpClient();
    SmtpClient(const SmtpClient&) = delete;
    SmtpClient& operator=(const SmtpClient&) = delete;

    // `hand_over` is called when the server waits for the last bytes of the message, before they
    // are written. Where it returns false or throws, the connection is cut and the server has
    // nothing. A stop request cuts it too; after `hand_over`, it leaves the server a moment to
    // answer. REQUIRES: IsAddress() of both addresses; `message` as Compose() makes it.
    Outcome Send(const std::string& from, const std::string& to, std::string_view message,
                 const std::function<bool()>& hand_over, const std::stop_token& stop);

    // Takes leave of the server, for as long as there is nothing to send.
    void Disconnect(const std::stop_token& stop);

  private:
    class Connection;
    SmtpOptions options_;
    std::unique_ptr<Sockets> sockets_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace rampart::server::mail
