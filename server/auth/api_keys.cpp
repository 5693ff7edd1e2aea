#include "auth/api_keys.hpp"

#include "auth/secrets.hpp"
#include "auth/tokens/jws.hpp"

namespace rampart::server::auth {

http::Reply CreateApiKey(http::Exchange& exchange) {
    const std::string key = "rmp_" + NewToken();
    nlohmann::json created = exchange.db().Finish(
        "create_api_key", {{"name", db::Value::OfJson(exchange.body["name"])},
                           {"scopes", db::Value::OfJson(exchange.body["scopes"])},
                           {"hash", ByteView(HashOf(key))},
                           {"last_four", key.substr(key.size() - 4)},
                           {"expires_at", exchange.body.contains("expires_at")
                                              ? db::Value::OfJson(exchange.body["expires_at"])
                                              : db::Value()}});
    created["key"] = key;
    return {201, std::move(created)};
}

http::Reply CreateSigningKey(http::Exchange& exchange) {
    const TokenSettings& settings = exchange.settings->tokens;
    const NewKey key = MakeKey(settings.algorithm);
    const nlohmann::json created =
        exchange.db().Finish("add_signing_key", {{"kid", NewId()},
                                                 {"algorithm", settings.algorithm},
                                                 {"private_key", key.private_pem},
                                                 {"public_key", key.public_pem},
                                                 {"issuer", exchange.settings->Issuer()},
                                                 {"audience", settings.audience},
                                                 {"at_once", false}});
    return {201, created};
}

http::Reply ActivateSigningKey(http::Exchange& exchange) {
    // The last token of a retired key, and the clocks of who verifies it.
    const int kept = exchange.settings->tokens.access_seconds + 300;
    return {200, exchange.db().Finish("activate_signing_key", {{"kept_seconds", kept}})};
}

}  // namespace rampart::server::auth
