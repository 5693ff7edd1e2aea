// Keeps values of encrypted columns out of the server's log.
//
// A statement that fails is logged with its text, and many errors quote values: "Key (email)=(...)
// already exists", "Failing row contains (...)", "COPY users, line 3, column email: ...". For a
// statement in which an encrypted value was read or written, the log gets none of the three; the
// client gets its error unchanged. Setting rampart.quiet_errors turns this off.
#pragma once

namespace rampart::pg::log_privacy {

// An encrypted value was read or written in the clear by the current statement.
void Touch();

void InstallHook();

}  // namespace rampart::pg::log_privacy
