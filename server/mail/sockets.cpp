#include "mail/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <new>

namespace rampart::server::mail {

void Sockets::Watch(CURL* handle) {
    curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, OnOpen);
    curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, this);
    curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, OnClose);
    curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, this);
}

void Sockets::Cut() {
    const std::lock_guard lock(mutex_);
    for (const curl_socket_t socket : open_) shutdown(socket, SHUT_RDWR);
}

int Sockets::OnOpen(void* self, curl_socket_t socket, curlsocktype) noexcept {
    auto& sockets = *static_cast<Sockets*>(self);
    try {
        const std::lock_guard lock(sockets.mutex_);
        sockets.open_.push_back(socket);
        return CURL_SOCKOPT_OK;
    } catch (const std::bad_alloc&) {
        return CURL_SOCKOPT_ERROR;
    }
}

int Sockets::OnClose(void* self, curl_socket_t socket) noexcept {
    auto& sockets = *static_cast<Sockets*>(self);
    const std::lock_guard lock(sockets.mutex_);
    std::erase(sockets.open_, socket);
    return close(socket);
}

}  // namespace rampart::server::mail
