#include "auth/passwords.hpp"

#include <algorithm>

#include "auth/login.hpp"
#include "auth/secrets.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {
namespace {

// Throws where it is one of the account's own, now or before; gives its hash otherwise.
std::string HashUnlessFormer(const Service& service, const std::string& password,
                             const nlohmann::json& former, const char* pointer) {
    std::optional<std::string> hash =
        service.hash_pool.Run<std::optional<std::string>>([&]() -> std::optional<std::string> {
            const bool used =
                std::any_of(former.begin(), former.end(), [&](const nlohmann::json& old) {
                    return service.hasher.Verify(password, old.get<std::string>());
                });
            return used ? std::nullopt : std::optional(service.hasher.Hash(password));
        });
    if (!hash) throw http::Problem("password_refused").WithErrors({{pointer, "was used before"}});
    return *hash;
}

std::string TextOr(const nlohmann::json& object, const char* name) {
    return object[name].is_string() ? object[name].get<std::string>() : "";
}

}  // namespace

http::Reply ChangePassword(const Service& service, http::Exchange& exchange) {
    const std::string old_password = exchange.body["old_password"];
    const std::string new_password = exchange.body["new_password"];
    const int kept = exchange.settings->password.history;
    const nlohmann::json found = exchange.db().Finish("find_password", {{"kept", kept}});
    if (const int seconds = found["locked"]; seconds > 0)
        throw http::Problem("login_locked").RetryAfter(seconds);
    const std::string old_hash = TextOr(found, "hash");
    const bool right =
        service.hash_pool.Run<bool>([&] { return service.hasher.Verify(old_password, old_hash); });
    if (!right) {
        // Whoever holds somebody's session guesses no faster here than at the login.
        CountFailure(service, exchange, found["email"]);
        throw http::Problem("invalid_credentials");
    }
    RequireGoodPassword(exchange, new_password, found["email"], TextOr(found, "name"),
                        "/new_password");
    const std::string hash =
        HashUnlessFormer(service, new_password, found["former"], "/new_password");
    exchange.db().Finish("change_password",
                         {{"old_hash", old_hash}, {"new_hash", hash}, {"kept", kept}});
    return {204, nullptr};
}

http::Reply ForgotPassword(http::Exchange& exchange) {
    const std::string token = NewToken();
    exchange.db().Finish("forget_password",
                         {{"email", NormalEmail(exchange.body["email"])},
                          {"token_hash", ByteView(HashOf(token))},
                          {"link", LinkTo(*exchange.settings, "reset-password", token)},
                          {"token_minutes", exchange.settings->password.reset_minutes}});
    return {202, {{"status", "reset_sent"}}};
}

http::Reply ResetPassword(const Service& service, http::Exchange& exchange) {
    const Sha256Digest token = HashOf(exchange.body["token"].get_ref<const std::string&>());
    const std::string password = exchange.body["new_password"];
    const int kept = exchange.settings->password.history;
    const nlohmann::json found =
        exchange.db().Finish("find_reset", {{"token_hash", ByteView(token)}, {"kept", kept}});
    RequireGoodPassword(exchange, password, found["email"], TextOr(found, "name"), "/new_password");
    const std::string hash = HashUnlessFormer(service, password, found["former"], "/new_password");
    exchange.db().Finish("reset_password",
                         {{"token_hash", ByteView(token)},
                          {"new_hash", hash},
                          {"kept", kept},
                          {"needs_approval", exchange.settings->signup.mode == "approval"}});
    return {204, nullptr};
}

}  // namespace rampart::server::auth
