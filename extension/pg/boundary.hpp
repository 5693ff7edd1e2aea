// Where C++ meets the server: exceptions on one side, longjmp on the other, and nothing that mixes
// them anywhere else.
//
//   Guard(fn)   C++ called by the server. An exception ends here and becomes ereport after every
//               destructor has run. Stands at each door: SQL functions, hooks, callbacks.
//   Call(fn)    the server called by C++ that owns something. A server error becomes a ServerError.
//   TryInSubtransaction(fn)
//               the one place where a server error ends without the whole transaction: the
//               subtransaction's abort releases what the failed call left behind.
//
// Between the two, code may call server functions directly as long as it holds no object with a
// destructor across the call: a longjmp skips destructors.
#pragma once

#include <csetjmp>
#include <exception>
#include <type_traits>

#include "error.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace rampart::pg {

// A server error on its way through C++. To be caught only by Guard or to be replaced by another
// exception: locks and snapshots of the failed call are released by the transaction's abort.
struct ServerError {
    ErrorData* data;  // in the memory context that was current at Call()
};

// Why a subtransaction was rolled back.
struct Failure {
    char sqlstate[6];
    char message[200];
};

namespace boundary {

// What Guard carries out of its catch block. Plain memory: an ereport while an exception is alive
// would leak it.
struct Pending {
    char sqlstate[6];
    char message[512];
    char detail[256];
    char hint[512];
    ErrorData* server;
};
void Capture(Pending* pending) noexcept;  // REQUIRES: called from a catch block
[[noreturn]] void Raise(Pending& pending);
[[noreturn]] void ThrowServerError(MemoryContext context);

struct Subtransaction {
    MemoryContext context;
    ResourceOwner owner;
    bool failed;
};
void Begin(Subtransaction* subtransaction);
void End(const Subtransaction& subtransaction);
void Note(const ServerError& error, Failure* failure) noexcept;

}  // namespace boundary

template <typename Function>
auto Guard(Function&& function) -> std::invoke_result_t<Function> {
    sigjmp_buf* const exception_stack = PG_exception_stack;
    ErrorContextCallback* const context_stack = error_context_stack;
    boundary::Pending pending;
    try {
        return function();
    } catch (...) {
        boundary::Capture(&pending);
    }
    PG_exception_stack = exception_stack;
    error_context_stack = context_stack;
    boundary::Raise(pending);
}

// The function makes C calls only, and holds nothing with a destructor.
template <typename Function>
auto Call(Function&& function) -> std::invoke_result_t<Function> {
    using Result = std::invoke_result_t<Function>;
    static_assert(std::is_trivially_copyable_v<Result>, "a longjmp would skip its destructor");
    const MemoryContext context = CurrentMemoryContext;
    sigjmp_buf* const exception_stack = PG_exception_stack;
    ErrorContextCallback* const context_stack = error_context_stack;
    sigjmp_buf buffer;
    if (sigsetjmp(buffer, 0) == 0) {
        PG_exception_stack = &buffer;
        Result result = function();
        PG_exception_stack = exception_stack;
        error_context_stack = context_stack;
        return result;
    }
    PG_exception_stack = exception_stack;
    error_context_stack = context_stack;
    boundary::ThrowServerError(context);
}

// True: the function ran. False: a server error, rolled back. An Error of ours passes through.
// REQUIRES: the function holds nothing with a destructor.
template <typename Function>
bool TryInSubtransaction(Function&& function, Failure* failure) {
    boundary::Subtransaction subtransaction;
    boundary::Begin(&subtransaction);
    try {
        Call([&] {
            function();
            return true;
        });
    } catch (const ServerError& error) {
        boundary::Note(error, failure);
        subtransaction.failed = true;
    }
    boundary::End(subtransaction);
    return !subtransaction.failed;
}

// Is told of each Error before it becomes ereport, also if a function in SQL catches it there. Must
// not throw.
using ErrorObserver = void (*)(const char* sqlstate, const char* message);
void ObserveErrors(ErrorObserver observer);

// ereport(WARNING) for code that speaks C++ only.
void Warn(const SqlState& state, const char* message, const char* hint = nullptr);

}  // namespace rampart::pg

// Defines a SQL-callable function: RAMPART_FUNCTION(rampart_name) { ... return datum; }
#define RAMPART_FUNCTION(name)                                          \
    static Datum name##_body(FunctionCallInfo fcinfo);                  \
    extern "C" RAMPART_EXPORT const Pg_finfo_record* pg_finfo_##name(); \
    extern "C" const Pg_finfo_record* pg_finfo_##name() {               \
        static const Pg_finfo_record kRecord = {1};                     \
        return &kRecord;                                                \
    }                                                                   \
    extern "C" RAMPART_EXPORT Datum name(FunctionCallInfo fcinfo);      \
    extern "C" Datum name(FunctionCallInfo fcinfo) {                    \
        return rampart::pg::Guard([&] { return name##_body(fcinfo); }); \
    }                                                                   \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
