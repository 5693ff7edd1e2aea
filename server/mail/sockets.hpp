// The sockets that libcurl has open for one handle, so that a connection can be cut.
//
// libcurl says QUIT before it closes a connection and waits for the answer, for minutes, also where
// the server has stopped to answer. A socket that was cut lets it go on at once. Thread-safe.
#pragma once

#include <mutex>
#include <vector>

#include <curl/curl.h>

namespace rampart::server::mail {

class Sockets {
  public:
    // Has libcurl tell of the sockets that it opens and closes. REQUIRES: outlives the handle.
    void Watch(CURL* handle);
    void Cut();

  private:
    static int OnOpen(void* self, curl_socket_t socket, curlsocktype purpose) noexcept;
    static int OnClose(void* self, curl_socket_t socket) noexcept;

    std::mutex mutex_;
    std::vector<curl_socket_t> open_;
};

}  // namespace rampart::server::mail
