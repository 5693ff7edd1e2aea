// Posts messages to a provider's hook, over libcurl, signed.
//
// A message keeps its id from one attempt to the next, and by it the hook knows one that it has
// taken before: so whatever is not answered in time is posted again. Redirects are not followed,
// and of an answer only the status is looked at. Not for more than one thread.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "crypto/hmac.hpp"
#include "outbox/courier.hpp"
#include "outbox/curl.hpp"

namespace rampart::server::sms {

struct HookOptions {
    std::string url;  // https, or http of this machine
    std::vector<std::uint8_t> key;
    outbox::ConnectionOptions connection;
};

class Hook {
  public:
    explicit Hook(const HookOptions& options);

    // `body` is JSON. Reasons name the status, never the URL, which may hold a secret.
    outbox::Outcome Post(const std::string& id, const std::string& body,
                         const std::stop_token& stop);

  private:
    outbox::Curl curl_;
    HmacSha256 key_;
};

}  // namespace rampart::server::sms
