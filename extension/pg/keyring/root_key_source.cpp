#include "pg/keyring/root_key_source.hpp"

#include <unistd.h>

#include "error.hpp"
#include "secret.hpp"

namespace rampart::pg::keyring {

void ThrowNoRootKey(std::string detail) {
    throw Error(errc::kNoRootKey, "no root key", std::move(detail),
                "Set rampart.root_key_file or rampart.root_key_command, then try again; "
                "SELECT * FROM rampart.status() shows what the server sees.");
}

RootKeyAnswer::~RootKeyAnswer() { Wipe(buffer_); }

ssize_t RootKeyAnswer::ReadFrom(int descriptor) {
    const ssize_t count = read(descriptor, buffer_.data() + size_, buffer_.size() - size_);
    if (count > 0) size_ += static_cast<std::size_t>(count);
    if (size_ == buffer_.size()) ThrowNoRootKey(setting_ + " gave more than a key.");
    return count;
}

RootKey RootKeyAnswer::Parse() const {
    if (auto key = RootKey::Parse({buffer_.data(), size_})) return *std::move(key);
    ThrowNoRootKey(setting_ + " gave neither 64 hexadecimal digits nor 32 bytes.");
}

}  // namespace rampart::pg::keyring
