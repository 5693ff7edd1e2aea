#include "auth/tokens/signing_keys.hpp"

#include <algorithm>

#include "auth/secrets.hpp"
#include "auth/tokens/jws.hpp"
#include "db/internal.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {

void SigningKeys::MakeFirst() {
    const std::string& algorithm = settings_.tokens.algorithm;
    const NewKey key = MakeKey(algorithm);
    db::CallAsServer(pool_, "add_signing_key",
                     {{"kid", NewId()},
                      {"algorithm", algorithm},
                      {"private_key", key.private_pem},
                      {"public_key", key.public_pem},
                      {"issuer", settings_.Issuer()},
                      {"audience", settings_.tokens.audience},
                      {"at_once", true}});
}

void SigningKeys::Reload() {
    nlohmann::json rows = db::CallAsServer(pool_, "list_signing_keys");
    if (std::none_of(rows.begin(), rows.end(),
                     [](const nlohmann::json& row) { return row["active"].get<bool>(); })) {
        MakeFirst();
        rows = db::CallAsServer(pool_, "list_signing_keys");
    }
    auto set = std::make_shared<Set>();
    set->jwks["keys"] = nlohmann::json::array();
    for (const nlohmann::json& row : rows) {
        Key key{row["kid"], row["algorithm"], row["public_key"], row["active"]};
        set->jwks["keys"].push_back(
            JwkOf(PublicKeyOfPem(key.public_pem).get(), key.algorithm, key.kid));
        if (key.active) {
            set->active_kid = key.kid;
            set->active_algorithm = key.algorithm;
            set->active_key = PrivateKeyOfPem(row["private_key"].get<std::string>());
        }
        set->keys.push_back(std::move(key));
    }
    const std::lock_guard lock(mutex_);
    set->generation = ++generations_;
    current_ = std::move(set);
}

std::shared_ptr<const SigningKeys::Set> SigningKeys::Current() const {
    const std::lock_guard lock(mutex_);
    if (current_ == nullptr) throw http::Problem("unavailable").RetryAfter(2);
    return current_;
}

}  // namespace rampart::server::auth
