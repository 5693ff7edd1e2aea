#include "pg/postgres.hpp"

#include "pg/log_privacy.hpp"

#include "pg/boundary.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/elog.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::log_privacy {
namespace {

emit_log_hook_type previous_hook = nullptr;
TimestampTz touched_statement = 0;
char withheld[] = "withheld: the statement used encrypted values";

void OnLog(ErrorData* error) {
    const bool touched = touched_statement == GetCurrentStatementStartTimestamp();
    if (touched && settings::quiet_errors && error->elevel >= WARNING) {
        error->hide_stmt = true;
        error->hide_ctx = true;
        if (error->detail != nullptr && error->detail_log == nullptr) error->detail_log = withheld;
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
