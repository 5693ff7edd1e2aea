#include "pg/postgres.hpp"

#include "pg/log_privacy.hpp"

#include "pg/boundary.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::log_privacy {
namespace {

emit_log_hook_type previous_hook = nullptr;
TimestampTz touched_statement = 0;
constexpr char kWithheld[] = "withheld: the statement used encrypted values";

// Errors about a value quote it in the message itself ("invalid input syntax for type integer:
// ...", where a decrypted text is cast). Log and client share that message, so the log gets one of
// its own.
bool QuotesValue(const ErrorData* error) {
    // Ours are passed through "%s", and never do.
    return error->elevel >= ERROR &&
           ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION &&
           error->message_id != nullptr && strcmp(error->message_id, "%s") != 0 &&
           strcmp(error->message_id, error->message) != 0;
}

void LogWithoutValue(ErrorData* error) {
    error->output_to_server = false;
    ereport(LOG, (errcode(error->sqlerrcode), errhidestmt(true), errhidecontext(true),
                  errmsg("a statement that used encrypted values failed: %s", error->message_id)));
}

bool IsPostmaster() { return IsPostmasterEnvironment && !IsUnderPostmaster; }

void OnLog(ErrorData* error) {
    // Processes that run no statements have none that began.
    const bool touched =
        touched_statement != 0 && touched_statement == GetCurrentStatementStartTimestamp();
    if (settings::quiet_errors && (touched || IsPostmaster())) {
        error->hide_stmt = true;
        error->hide_ctx = true;
        // The postmaster's details are the statements of processes that died.
        if (error->detail != nullptr || error->detail_log != nullptr)
            error->detail_log = MemoryContextStrdup(ErrorContext, kWithheld);
        if (touched && QuotesValue(error)) LogWithoutValue(error);
    }
    if (previous_hook != nullptr) previous_hook(error);
}

}  // namespace

void Touch() { touched_statement = GetCurrentStatementStartTimestamp(); }

void InstallHook() {
    previous_hook = emit_log_hook;
    emit_log_hook = OnLog;
}

}  // namespace rampart::pg::log_privacy
