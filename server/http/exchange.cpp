#include "http/exchange.hpp"

#include "utf8.hpp"

namespace rampart::server::http {

db::Value Exchange::UserAgent() const {
    const std::string agent = Header("User-Agent").substr(0, 500);
    return EachCodePoint(agent, [](char32_t c) { return c != 0; }) ? db::Value(agent) : db::Value();
}

}  // namespace rampart::server::http
