// One handle of libcurl, with what holds for every connection that this server makes: certificates
// are verified, TLS is 1.2 at least, no proxy is taken from the environment, and time is bounded.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <curl/curl.h>

namespace rampart::server::outbox {

struct ConnectionOptions {
    std::filesystem::path ca_file;  // empty: the authorities that the system trusts
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds total_timeout{60'000};  // of one message, connecting included
};

// Not for more than one thread.
class Curl {
  public:
    explicit Curl(const ConnectionOptions& options);
    ~Curl() { curl_easy_cleanup(handle_); }
    Curl(const Curl&) = delete;
    Curl& operator=(const Curl&) = delete;

    CURL* handle() const { return handle_; }

    template <typename Value>
    void Set(CURLoption option, Value value) {
        const CURLcode result = curl_easy_setopt(handle_, option, value);
        if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
    }

  private:
    CURL* handle_;
};

// Whether a host, a name or an address without brackets, is this machine: nobody between.
bool IsThisMachine(const std::string& host);

}  // namespace rampart::server::outbox
