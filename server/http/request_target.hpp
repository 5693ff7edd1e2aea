// The target of a request, which has one meaning only: a path and perhaps a query, percent-encoded.
#pragma once

#include <string_view>

namespace rampart::server::http {

// True if `target` is a path that every reader resolves alike (no dot segments, no encoded slash or
// control character) and perhaps a query, both of which decode to UTF-8 without NUL.
bool IsTarget(std::string_view target);

}  // namespace rampart::server::http
