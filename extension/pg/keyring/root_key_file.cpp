#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "pg/keyring/root_key_source.hpp"

namespace rampart::pg::keyring {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

bool IsPrivate(int file) {
    struct stat status {};
    return fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 077) == 0;
}

}  // namespace

RootKey ReadRootKeyFile(const char* path, const std::string& setting) {
    // Not blocking: a pipe in the file's place would wait for its writer.
    const Descriptor file(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.number() < 0) ThrowNoRootKey(setting + " cannot be opened: " + strerror(errno) + ".");
    if (!IsPrivate(file.number())) {
        ThrowNoRootKey(setting +
                       " must be a regular file, owned by the server's user, with mode 0600 or "
                       "stricter.");
    }
    RootKeyAnswer answer(setting);
    for (ssize_t count = 1; count != 0;) {
        count = answer.ReadFrom(file.number());
        if (count < 0 && errno != EINTR)
            ThrowNoRootKey(setting + " cannot be read: " + strerror(errno) + ".");
    }
    return answer.Parse();
}

}  // namespace rampart::pg::keyring
