// The two places that a root key is read from. root_key_provider.hpp decides which and when.
#pragma once

#include <array>
#include <chrono>
#include <string>

#include "bytes.hpp"
#include "keyring/root_key.hpp"

namespace rampart::pg::keyring {

// Both throw RMK05, with a detail that begins with the name of the setting.

// REQUIRES of the file: regular, owned by the server's user, mode 0600 or stricter.
RootKey ReadRootKeyFile(const char* path, const std::string& setting);

// Runs a command through the shell, in a process group of its own; what is left of the group when
// the command has ended, failed or run out of time is killed. Its standard error is the server's.
// Only a process that dies without a word (SIGKILL, immediate shutdown) leaves it behind.
// In a backend a cancelled query or the end of the session ends it too (error 57014, or the
// session's end).
RootKey RunRootKeyCommand(const char* command, const std::string& setting,
                          std::chrono::milliseconds limit);

// What a source gave: wiped when done with.
class RootKeyAnswer {
  public:
    explicit RootKeyAnswer(const std::string& setting) : setting_(setting) {}
    ~RootKeyAnswer();
    RootKeyAnswer(const RootKeyAnswer&) = delete;
    RootKeyAnswer& operator=(const RootKeyAnswer&) = delete;

    // Reads once, as read(2) returns: its result. Throws where there is more than any key.
    ssize_t ReadFrom(int descriptor);
    RootKey Parse() const;

  private:
    const std::string& setting_;
    std::array<std::uint8_t, 256> buffer_{};
    std::size_t size_ = 0;
};

[[noreturn]] void ThrowNoRootKey(std::string detail);

}  // namespace rampart::pg::keyring
