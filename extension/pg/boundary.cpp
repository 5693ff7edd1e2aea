#include <algorithm>
#include <cstring>
#include <new>

#include "pg/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "mb/pg_wchar.h"
}

namespace rampart::pg {
namespace boundary {
namespace {

ErrorObserver observer = nullptr;

template <std::size_t Size>
void Copy(char (&to)[Size], std::string_view from) {
    const std::size_t length = std::min(from.size(), Size - 1);
    std::memcpy(to, from.data(), length);
    to[length] = '\0';
}

void Fill(Pending* pending, const SqlState& state, std::string_view message,
          std::string_view detail, std::string_view hint) {
    pending->server = nullptr;
    std::memcpy(pending->sqlstate, state.code, sizeof state.code);
    Copy(pending->message, message);
    Copy(pending->detail, detail);
    Copy(pending->hint, hint);
}

// A text that did not fit may end in the middle of a character.
void DropHalfCharacter(char* text) {
    const int length = static_cast<int>(std::strlen(text));
    text[pg_mbcliplen(text, length, length)] = '\0';
}

int SqlStateNumber(const char* code) {
    return MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
}

}  // namespace

void Capture(Pending* pending) noexcept {
    try {
        throw;
    } catch (const ServerError& error) {
        pending->server = error.data;
    } catch (const Error& error) {
        Fill(pending, error.state(), error.what(), error.detail(), error.hint());
    } catch (const std::bad_alloc&) {
        Fill(pending, errc::kOutOfMemory, "out of memory", "", "");
    } catch (const std::exception& error) {
        Fill(pending, errc::kInternal, error.what(), "", "");
    } catch (...) {
        Fill(pending, errc::kInternal, "unknown exception", "", "");
    }
}

void Raise(Pending& pending) {
    for (char* text : {pending.message, pending.detail, pending.hint}) DropHalfCharacter(text);
    if (pending.server != nullptr) ReThrowError(pending.server);
    if (observer != nullptr) observer(pending.sqlstate, pending.message);
    ereport(ERROR, (errcode(SqlStateNumber(pending.sqlstate)), errmsg("%s", pending.message),
                    pending.detail[0] != '\0' ? errdetail("%s", pending.detail) : 0,
                    pending.hint[0] != '\0' ? errhint("%s", pending.hint) : 0));
    pg_unreachable();
}

void ThrowServerError(MemoryContext context) {
    // CopyErrorData allocates, and so may fail itself.
    static ErrorData out_of_memory;
    ErrorData* volatile data = nullptr;
    sigjmp_buf* const exception_stack = PG_exception_stack;
    sigjmp_buf buffer;
    MemoryContextSwitchTo(context);
    if (sigsetjmp(buffer, 0) == 0) {
        PG_exception_stack = &buffer;
        data = CopyErrorData();
    } else {
        static char message[] = "out of memory";
        out_of_memory.elevel = ERROR;
        out_of_memory.sqlerrcode = ERRCODE_OUT_OF_MEMORY;
        out_of_memory.message = message;
        out_of_memory.output_to_server = true;
        data = &out_of_memory;
    }
    PG_exception_stack = exception_stack;
    FlushErrorState();
    throw ServerError{data};
}

void Begin(Subtransaction* subtransaction) {
    *subtransaction = {CurrentMemoryContext, CurrentResourceOwner, false};
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(subtransaction->context);
}

void End(const Subtransaction& subtransaction) {
    if (subtransaction.failed) {
        RollbackAndReleaseCurrentSubTransaction();
    } else {
        ReleaseCurrentSubTransaction();
    }
    MemoryContextSwitchTo(subtransaction.context);
    CurrentResourceOwner = subtransaction.owner;
}

void Note(const ServerError& error, Failure* failure) noexcept {
    Copy(failure->sqlstate, unpack_sql_state(error.data->sqlerrcode));
    Copy(failure->message, error.data->message != nullptr ? error.data->message : "");
}

}  // namespace boundary

void ObserveErrors(ErrorObserver observer) { boundary::observer = observer; }

void Warn(const SqlState& state, const char* message, const char* hint) {
    ereport(WARNING, (errcode(boundary::SqlStateNumber(state.code)), errmsg("%s", message),
                      hint != nullptr ? errhint("%s", hint) : 0));
}

}  // namespace rampart::pg
