#include "auth/password.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <argon2.h>
#include <crypt.h>

#include "auth/secrets.hpp"
#include "bytes.hpp"
#include "crypto/random.hpp"
#include "error.hpp"
#include "secret.hpp"

namespace rampart::server::auth {
namespace {

constexpr std::size_t kArgon2Salt = 16;
constexpr std::size_t kArgon2Hash = 32;

std::string Crypt(const std::string& password, const std::string& setting) {
    // 32 KiB, which is wiped: too much for a stack.
    const auto data = std::make_unique<crypt_data>();
    const char* hash = crypt_r(password.c_str(), setting.c_str(), data.get());
    std::string result = hash != nullptr && hash[0] != '*' ? hash : "";
    Wipe({reinterpret_cast<std::uint8_t*>(data.get()), sizeof *data});
    return result;
}

bool IsBcrypt(const std::string& hash) {
    return hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
}

}  // namespace

PasswordHasher::PasswordHasher(const PasswordSettings& settings)
    : settings_(settings), nobody_(Hash(NewToken())) {}

std::string PasswordHasher::Argon2Prefix() const {
    return "$argon2id$v=19$m=" + std::to_string(settings_.argon2_memory_kib) +
           ",t=" + std::to_string(settings_.argon2_iterations) + ",p=1$";
}

std::string PasswordHasher::BcryptPrefix() const {
    std::array<char, 8> text;
    std::snprintf(text.data(), text.size(), "$2b$%02d$", settings_.bcrypt_cost);
    return text.data();
}

std::string PasswordHasher::Hash(const std::string& password) const {
    if (settings_.hash == "bcrypt") {
        if (password.size() > kBcryptMost)
            throw Error(errc::kInvalidParameter, "the password is too long for bcrypt");
        std::array<std::uint8_t, 16> random;
        RandomBytes(random);
        std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting;
        crypt_gensalt_rn("$2b$", static_cast<unsigned long>(settings_.bcrypt_cost),
                         reinterpret_cast<const char*>(random.data()), random.size(),
                         setting.data(), static_cast<int>(setting.size()));
        std::string hash = Crypt(password, setting.data());
        if (hash.empty()) throw Error(errc::kInternal, "bcrypt failed");
        return hash;
    }
    std::array<std::uint8_t, kArgon2Salt> salt;
    RandomBytes(salt);
    const auto iterations = static_cast<std::uint32_t>(settings_.argon2_iterations);
    const auto memory = static_cast<std::uint32_t>(settings_.argon2_memory_kib);
    std::vector<char> encoded(
        argon2_encodedlen(iterations, memory, 1, kArgon2Salt, kArgon2Hash, Argon2_id));
    if (argon2id_hash_encoded(iterations, memory, 1, password.data(), password.size(), salt.data(),
                              salt.size(), kArgon2Hash, encoded.data(),
                              encoded.size()) != ARGON2_OK) {
        throw Error(errc::kOutOfMemory, "argon2id failed");
    }
    return encoded.data();
}

bool PasswordHasher::Verify(const std::string& password, const std::string& hash) const {
    if (hash.starts_with("$argon2id$"))
        return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
    if (hash.starts_with("$argon2i$"))
        return argon2i_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
    if (!IsBcrypt(hash) || password.size() > kBcryptMost) return false;
    const std::string again = Crypt(password, hash);
    return !again.empty() && ConstantTimeEqual(AsBytes(again), AsBytes(hash));
}

bool PasswordHasher::IsOutdated(const std::string& hash) const {
    return !hash.starts_with(settings_.hash == "bcrypt" ? BcryptPrefix() : Argon2Prefix());
}

}  // namespace rampart::server::auth
