#include "pg/postgres.hpp"

#include "pg/as_owner.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace rampart::pg {

Caller BecomeOwner(Oid owner) {
    Caller caller{};
    GetUserIdAndSecContext(&caller.user, &caller.security);
    SetUserIdAndSecContext(owner, caller.security | SECURITY_RESTRICTED_OPERATION);
    caller.guc_nesting = NewGUCNestLevel();
    return caller;
}

void ReturnTo(const Caller& caller) {
    AtEOXact_GUC(false, caller.guc_nesting);
    SetUserIdAndSecContext(caller.user, caller.security);
}

}  // namespace rampart::pg
