// The postmaster runs commands too, with signals blocked and before its loop, and a backend with
// handlers of its own: so the command begins with an empty signal mask, default signals and no
// descriptor of the server's, and is waited for by polling, never by a signal.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>

#include "pg/postgres.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/root_key_source.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace rampart::pg::keyring {
namespace {

using Clock = std::chrono::steady_clock;

// A signal that arrives just before poll() does not end it.
constexpr int kReadSliceMs = 50;
constexpr int kExitSliceMs = 5;

// How a command is started: posix_spawn's two C structures.
class SpawnPlan {
  public:
    explicit SpawnPlan(int output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
#if __GLIBC_PREREQ(2, 34)
        // What outlives the command must not keep a client's connection or a lock file open.
        posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
#endif
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_init(&attributes_);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    // 0 or an errno.
    int Spawn(const char* command, pid_t* process) const {
        const char* const arguments[] = {"sh", "-c", command, nullptr};
        return posix_spawn(process, "/bin/sh", &actions_, &attributes_,
                           const_cast<char* const*>(arguments), environ);
    }

  private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

class Command {
  public:
    Command(const char* command, const std::string& setting, std::chrono::milliseconds limit)
        : setting_(setting), limit_(limit), deadline_(Clock::now() + limit) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) ThrowNotRun(errno);
        output_ = ends[0];
        const int failure = SpawnPlan(ends[1]).Spawn(command, &process_);
        close(ends[1]);
        if (failure == 0) return;
        process_ = -1;
        Stop();
        ThrowNotRun(failure);
    }
    ~Command() { Stop(); }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    void ReadAll(RootKeyAnswer* answer) {
        for (bool open = true; open;) {
            pollfd ready{output_, POLLIN, 0};
            if (poll(&ready, 1, kReadSliceMs) > 0) {
                const ssize_t count = answer->ReadFrom(output_);
                open = count > 0 || (count < 0 && errno == EINTR);
            }
            if (open) RequireTime();
        }
    }

    // Throws unless it ends with status 0.
    void RequireSuccess() {
        siginfo_t end{};
        // WNOWAIT: the process keeps its number, and so the group its own, until Stop().
        while (waitid(P_PID, static_cast<id_t>(process_), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               end.si_pid == 0) {
            RequireTime();
            poll(nullptr, 0, kExitSliceMs);
        }
        Stop();
        if (end.si_code == CLD_EXITED && end.si_status == 0) return;
        ThrowNoRootKey(setting_ +
                       (end.si_code == CLD_EXITED ? " failed with status " : " ended by signal ") +
                       std::to_string(end.si_status) + ".");
    }

  private:
    void RequireTime() {
        if (Clock::now() >= deadline_) {
            char seconds[32];
            snprintf(seconds, sizeof seconds, "%g", static_cast<double>(limit_.count()) / 1e3);
            ThrowNoRootKey(setting_ + " did not answer within " + seconds + " s.");
        }
        if (!QueryCancelPending && !ProcDiePending) return;
        // Before the call: the end of a session runs no destructor.
        Stop();
        Call([] {
            CHECK_FOR_INTERRUPTS();
            return true;
        });
        ThrowNoRootKey(setting_ + " was interrupted.");
    }

    void Stop() {
        if (output_ >= 0) close(output_);
        output_ = -1;
        if (process_ < 0) return;
        kill(-process_, SIGKILL);
        while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
        }
        process_ = -1;
    }

    [[noreturn]] void ThrowNotRun(int number) const {
        ThrowNoRootKey(setting_ + " cannot be run: " + strerror(number) + ".");
    }

    const std::string& setting_;
    std::chrono::milliseconds limit_;
    Clock::time_point deadline_;
    pid_t process_ = -1;
    int output_ = -1;
};

}  // namespace

RootKey RunRootKeyCommand(const char* command, const std::string& setting,
                          std::chrono::milliseconds limit) {
    Command running(command, setting, limit);
    RootKeyAnswer answer(setting);
    running.ReadAll(&answer);
    running.RequireSuccess();
    return answer.Parse();
}

}  // namespace rampart::pg::keyring
