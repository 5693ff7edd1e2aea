#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "pg/keyring/root_key_provider.hpp"

#include "ciphertext.hpp"
#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"

namespace rampart::pg::keyring {
namespace {

std::optional<RootKey> held;

[[noreturn]] void ThrowNoRootKey(std::string detail) {
    throw Error(errc::kNoRootKey, "no root key", std::move(detail),
                "Set rampart.root_key_file or rampart.root_key_command, then try again; "
                "SELECT * FROM rampart.status() shows what the server sees.");
}

// What a provider answered; wiped when done with.
class Answer {
  public:
    ~Answer() { Wipe(buffer_); }

    void ReadFrom(std::FILE* stream, const char* source) {
        size_ = std::fread(buffer_.data(), 1, buffer_.size(), stream);
        if (size_ == buffer_.size()) ThrowNoRootKey(std::string(source) + " gave more than a key.");
    }
    std::optional<RootKey> Parse() const { return RootKey::Parse({buffer_.data(), size_}); }

  private:
    std::array<std::uint8_t, 256> buffer_{};
    std::size_t size_ = 0;
};

// What a provider is read from: unbuffered, because stdio would keep a copy of the key.
class Stream {
  public:
    Stream(std::FILE* file, int (*close)(std::FILE*)) : file_(file), close_(close) {
        if (file_ != nullptr && std::setvbuf(file_, nullptr, _IONBF, 0) != 0) Close();
    }
    ~Stream() { Close(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    bool is_open() const { return file_ != nullptr; }
    std::FILE* file() const { return file_; }
    int Close() {
        const int status = file_ != nullptr ? close_(file_) : 0;
        file_ = nullptr;
        return status;
    }

  private:
    std::FILE* file_;
    int (*close_)(std::FILE*);
};

bool IsPrivate(std::FILE* file) {
    struct stat status {};
    return fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

RootKey ReadFile(const char* path) {
    Stream stream(std::fopen(path, "re"), std::fclose);
    if (!stream.is_open())
        ThrowNoRootKey(std::string("Cannot open the root key file: ") + strerror(errno) + ".");
    if (!IsPrivate(stream.file())) {
        ThrowNoRootKey(
            "The root key file must be a regular file, owned by the server's user, with mode "
            "0600 or stricter.");
    }
    Answer answer;
    answer.ReadFrom(stream.file(), "The root key file");
    if (auto key = answer.Parse()) return *std::move(key);
    ThrowNoRootKey("The root key file holds neither 64 hexadecimal digits nor 32 bytes.");
}

RootKey RunCommand(const char* command) {
    Stream stream(popen(command, "re"), pclose);
    if (!stream.is_open())
        ThrowNoRootKey(std::string("Cannot run the root key command: ") + strerror(errno) + ".");
    Answer answer;
    answer.ReadFrom(stream.file(), "The root key command");
    const int status = stream.Close();
    if (status != 0) {
        ThrowNoRootKey("The root key command failed with status " +
                       std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : status) + ".");
    }
    if (auto key = answer.Parse()) return *std::move(key);
    ThrowNoRootKey("The root key command printed neither 64 hexadecimal digits nor 32 bytes.");
}

bool IsSet(const char* setting) { return setting != nullptr && setting[0] != '\0'; }

void Load() {
    InitSecureHeap();
    // Round keys of OpenSSL's contexts live in the ordinary heap: keep all of it out of core files.
    if (!settings::core_dumps) prctl(PR_SET_DUMPABLE, 0);
    if (IsSet(settings::root_key_file)) {
        held = ReadFile(settings::root_key_file);
    } else if (IsSet(settings::root_key_command)) {
        held = RunCommand(settings::root_key_command);
    } else {
        ThrowNoRootKey("Neither rampart.root_key_file nor rampart.root_key_command is set.");
    }
}

}  // namespace

const RootKey& CurrentRootKey() {
    if (!held) Load();
    return *held;
}

const RootKey& RootKeyFor(std::uint64_t fingerprint) {
    if (held && held->fingerprint() == fingerprint) return *held;
    Load();
    if (held->fingerprint() == fingerprint) return *held;
    throw Error(errc::kWrongRootKey, "the root key is not the one that wrapped this key",
                "Fingerprint of the root key: " + KeyIdText(held->fingerprint()) +
                    "; of the one needed: " + KeyIdText(fingerprint) + ".",
                "Give the server the root key that this database was written with.");
}

void PreloadRootKey() {
    if (!IsSet(settings::root_key_file) && !IsSet(settings::root_key_command)) return;
    try {
        Load();
    } catch (const Error& error) {
        Warn(error.state(), error.detail().c_str(), error.hint().c_str());
    }
}

}  // namespace rampart::pg::keyring
