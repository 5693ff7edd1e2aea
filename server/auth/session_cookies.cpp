#include "auth/session_cookies.hpp"

#include <array>

#include "auth/secrets.hpp"
#include "crypto/hmac.hpp"
#include "http/cookies.hpp"

namespace rampart::server::auth {

std::string CsrfToken(std::string_view session, std::string_view key) {
    const HmacSha256 hmac(AsBytes(key), AsBytes("rampartd csrf"));
    HmacSha256::Message message = hmac.Start();
    message.Update(AsBytes(session));
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    message.Final(mac.data());
    return Base64Url(mac);
}

namespace {

constexpr int kDay = 86400;

}  // namespace

void AddRefreshCookie(http::Reply& reply, const std::string& refresh, int refresh_days) {
    reply.headers.emplace_back("Set-Cookie",
                               http::SetCookie(kRefreshCookie, refresh, refresh_days * kDay));
}

void AddAccessCookies(http::Reply& reply, const std::string& access, const std::string& csrf,
                      int access_seconds, int refresh_days) {
    reply.headers.emplace_back("Set-Cookie",
                               http::SetCookie(kAccessCookie, access, access_seconds));
    reply.headers.emplace_back("Set-Cookie",
                               http::SetCookie(kCsrfCookie, csrf, refresh_days * kDay, false));
}

void RemoveSessionCookies(http::Reply& reply) {
    for (const std::string_view name : {kAccessCookie, kRefreshCookie, kCsrfCookie}) {
        reply.headers.emplace_back("Set-Cookie", http::SetCookie(name, "", 0, name != kCsrfCookie));
    }
}

}  // namespace rampart::server::auth
