// Refusals, seen as errors: ours where they are raised, also if a function catches them; the
// server's where they are about to be logged, which is the only place to see them. So those that a
// function catches, and all of them where log_min_messages is above ERROR, are not seen.
//
// Nothing is read from catalogs here: the transaction has failed.
#include <cstring>
#include <utility>

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/client_port.hpp"
#include "pg/detectors/detectors.hpp"

extern "C" {
#include "storage/proc.h"
#include "utils/elog.h"
#include "utils/memutils.h"
}

namespace rampart::pg::detectors {
namespace {

emit_log_hook_type previous_hook = nullptr;
bool busy = false;

struct Known {
    const char* sqlstate;
    const char* event;
};

constexpr Known kOurs[] = {{errc::kDecryptionFailed.code, "crypto.decrypt_failed"},
                           {errc::kInsufficientPrivilege.code, "crypto.key_denied"},
                           {errc::kTokenRefused.code, "token.refused"}};

// Of a client that has no session yet.
constexpr Known kOfLogins[] = {{"28000", "auth.login_failure"},
                               {"28P01", "auth.login_failure"},
                               {"3D000", "auth.login_failure"},
                               {"42501", "auth.login_failure"},
                               {"53300", "session.limit_exceeded"}};

template <std::size_t Size>
const char* EventOf(const Known (&list)[Size], const char* sqlstate) {
    for (const Known& known : list) {
        if (std::strcmp(known.sqlstate, sqlstate) == 0) return known.event;
    }
    return nullptr;
}

void OnOurError(const char* sqlstate, const char* message) {
    const char* event = EventOf(kOurs, sqlstate);
    if (event == nullptr || !OidIsValid(MyDatabaseId)) return;
    Finding(event).With("code", sqlstate).With("message", message).Send();
}

// The server's messages name objects. One that somebody raised may say anything.
const char* MessageOf(const ErrorData& error) {
    const bool own_words = error.message_id == nullptr || std::strcmp(error.message_id, "%s") == 0;
    return own_words ? nullptr : error.message;
}

void TellLoginFailure(const Port& port, const char* sqlstate) {
    const char* event = EventOf(kOfLogins, sqlstate);
    if (event == nullptr || port.database_name == nullptr || port.user_name == nullptr) return;
    Finding(event)
        .Of(port.user_name)
        .With("code", sqlstate)
        .With("application", port.application_name)
        .SendTo({InvalidOid, port.database_name});
}

bool IsRaisedByUs(const ErrorData& error) {
    return error.filename != nullptr && std::strcmp(error.filename, "boundary.cpp") == 0;
}

void TellDenial(const ErrorData& error) {
    const bool of_policy = error.message_id != nullptr &&
                           std::strstr(error.message_id, "row-level security policy") != nullptr;
    Finding(of_policy ? "authz.row_policy_violation" : "authz.denied")
        .With("code", "42501")
        .With("message", MessageOf(error))
        .Send();
}

void Look(const ErrorData& error) {
    if (error.elevel == FATAL && !IsNormalProcessingMode() && MyProcPort != nullptr) {
        TellLoginFailure(*MyProcPort, unpack_sql_state(error.sqlerrcode));
    } else if (error.elevel >= ERROR && error.elevel <= FATAL &&
               error.sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && OidIsValid(MyDatabaseId) &&
               !IsRaisedByUs(error)) {
        TellDenial(error);
    }
}

void OnLog(ErrorData* error) {
    if (!busy && IsUnderPostmaster && MyProc != nullptr) {
        busy = true;
        Look(*error);
        busy = false;
    }
    if (previous_hook != nullptr) previous_hook(error);
}

}  // namespace

void InstallErrorHooks() {
    previous_hook = std::exchange(emit_log_hook, OnLog);
    ObserveErrors(OnOurError);
}

}  // namespace rampart::pg::detectors
