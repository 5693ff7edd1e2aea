// Who the application says it works for: actor, organisation, address, user agent, request. Set by
// rampart.set_context, a function that has to be granted; kept in this backend's memory, where no
// SET of a plain role reaches it. It ends with its transaction, and with the savepoint it was set
// under. Where neither actor nor organisation was set, they are the principal's.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg::audit {

// C strings, nullptr where not given; `ip` is an inet datum. Valid until the transaction's end.
struct Context {
    const char* actor;
    const char* org;
    Datum ip;  // 0: none
    const char* user_agent;
    const char* request_id;
};

// Empty where none was set.
const Context& CurrentContext();

void RegisterContextCallbacks();

}  // namespace rampart::pg::audit
