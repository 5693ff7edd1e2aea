#include "outbox/curl.hpp"

#include <new>

namespace rampart::server::outbox {
namespace {

bool InitialiseCurl() {
    static const bool good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return good;
}

}  // namespace

Curl::Curl(const ConnectionOptions& options)
    : handle_(InitialiseCurl() ? curl_easy_init() : nullptr) {
    if (handle_ == nullptr) throw std::bad_alloc();
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) {
        Set(CURLOPT_CAINFO, options.ca_file.c_str());
        Set(CURLOPT_CAPATH, nullptr);
    }
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_timeout.count()));
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_NOPROGRESS, 0L);
}

bool IsThisMachine(const std::string& host) {
    const bool loopback =
        host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
    return loopback || host == "localhost" || host == "::1";
}

}  // namespace rampart::server::outbox
