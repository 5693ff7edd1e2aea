#include <algorithm>
#include <cctype>

#include "crypto/sha256.hpp"
#include "http/guards/guards.hpp"
#include "http/problem.hpp"

namespace rampart::server::http {
namespace {

std::string Hash(std::initializer_list<std::string_view> parts) {
    Sha256Stream stream;
    for (const std::string_view part : parts) {
        const std::string size = std::to_string(part.size()) + ":";
        stream.Update(AsBytes(size));
        stream.Update(AsBytes(part));
    }
    const Sha256Digest digest = stream.Final();
    return {digest.begin(), digest.end()};
}

}  // namespace

Guard Idempotency() {
    return [](Exchange& exchange) {
        if (!exchange.request.has_header("Idempotency-Key")) return;
        const std::string key = exchange.Header("Idempotency-Key");
        const bool good = !key.empty() && key.size() <= 255 &&
                          exchange.request.get_header_value_count("Idempotency-Key") == 1 &&
                          std::all_of(key.begin(), key.end(),
                                      [](unsigned char c) { return std::isgraph(c) != 0; });
        if (!good)
            throw Problem("malformed_request", "Idempotency-Key is 1 to 255 printable characters");
        if (exchange.route->method == "GET" || !exchange.route->idempotent) return;
        const std::string& caller =
            exchange.token ? exchange.token->subject : exchange.api_key_hash;
        exchange.idempotency_key = Hash(
            {exchange.organisation, caller, exchange.request.method, exchange.request.target, key});
    };
}

void PrepareIdempotency(Exchange& exchange) {
    if (exchange.idempotency_key.empty()) return;
    const std::string request_hash = Hash({exchange.request.body});
    exchange.db().KeepOpen();
    exchange.db().Before(
        {"SELECT rampart_auth.claim_idempotency($1, $2)",
         {db::Value(AsBytes(exchange.idempotency_key)), db::Value(AsBytes(request_hash))}});
}

}  // namespace rampart::server::http
