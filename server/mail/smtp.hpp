// Hands mails to an SMTP server, over libcurl.
//
// Not for more than one thread. The connection is kept from one mail to the next.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace rampart::server::mail {

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
    std::filesystem::path ca_file;  // empty: the authorities that the system trusts
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds total_timeout{60'000};  // of one mail, connecting included
};

struct Outcome {
    enum class Kind {
        kSent,         // the server has it
        kDeferred,     // the server says: not now
        kRefused,      // the server says: never
        kUnavailable,  // no server, or none that takes anything from us; nothing about this mail
        kUncertain,    // all was written, and no answer came: the server may have it
    };
    Kind kind;
    // Reply codes and the names of libcurl's errors. Never an address or a server's own words,
    // which may quote one.
    std::string reason;
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
