// What the core costs over bare OpenSSL: CPU nanoseconds a value of 32 bytes, each row beside the
// least that could do the same work. Rows alternate, and the best of several rounds counts, so that
// a busy machine spoils both sides alike.
#define OPENSSL_SUPPRESS_DEPRECATED  // the bare HMAC uses the plain SHA-256 calls, as the core does

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "keyring/data_key.hpp"
#include "keyring/index_key.hpp"

namespace {

using namespace rampart;

constexpr std::size_t kValueSize = 32;
constexpr int kOperations = 100'000;
constexpr int kRounds = 15;

const std::vector<std::uint8_t> value(kValueSize, 'v');

void Require(bool condition) {
    if (!condition) {
        (void)std::fputs("a benchmarked operation failed\n", stderr);
        std::exit(1);
    }
}

double CpuNanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The loop a reviewer would write by hand: one context, keyed once, no error detail, no
// abstraction.
class BareGcm {
  public:
    explicit BareGcm(bool encrypt) : context_(EVP_CIPHER_CTX_new()) {
        const std::array<std::uint8_t, 32> key{1};
        Require(EVP_CipherInit_ex(context_, EVP_aes_256_gcm(), nullptr, key.data(), nullptr,
                                  encrypt ? 1 : 0) == 1);
    }
    ~BareGcm() { EVP_CIPHER_CTX_free(context_); }
    BareGcm(const BareGcm&) = delete;
    BareGcm& operator=(const BareGcm&) = delete;

    void Encrypt(const std::uint8_t* iv, std::uint8_t* out, std::uint8_t* tag) {
        int size = 0;
        Require(EVP_EncryptInit_ex(context_, nullptr, nullptr, nullptr, iv) == 1 &&
                EVP_EncryptUpdate(context_, nullptr, &size, header_.data(), kHeaderSize) == 1 &&
                EVP_EncryptUpdate(context_, out, &size, value.data(), kValueSize) == 1 &&
                EVP_EncryptFinal_ex(context_, out + size, &size) == 1 &&
                EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1);
    }

    void Decrypt(const std::uint8_t* iv, const std::uint8_t* in, std::uint8_t* tag,
                 std::uint8_t* out) {
        int size = 0;
        Require(EVP_DecryptInit_ex(context_, nullptr, nullptr, nullptr, iv) == 1 &&
                EVP_DecryptUpdate(context_, nullptr, &size, header_.data(), kHeaderSize) == 1 &&
                EVP_DecryptUpdate(context_, out, &size, in, kValueSize) == 1 &&
                EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) == 1 &&
                EVP_DecryptFinal_ex(context_, out + size, &size) == 1);
    }

  private:
    EVP_CIPHER_CTX* context_;
    std::array<std::uint8_t, kHeaderSize> header_{};
};

struct BareHmac {
    SHA256_CTX inner;
    SHA256_CTX outer;

    BareHmac() {
        std::array<std::uint8_t, SHA256_CBLOCK> pad;
        pad.fill(0x36);
        SHA256_Init(&inner);
        SHA256_Update(&inner, pad.data(), pad.size());
        pad.fill(0x5c);
        SHA256_Init(&outer);
        SHA256_Update(&outer, pad.data(), pad.size());
    }

    void Compute(std::uint8_t* mac) const {
        SHA256_CTX state = inner;
        SHA256_Update(&state, value.data(), value.size());
        SHA256_Final(mac, &state);
        state = outer;
        SHA256_Update(&state, mac, SHA256_DIGEST_LENGTH);
        SHA256_Final(mac, &state);
    }
};

struct Row {
    const char* name;
    std::function<void()> bare;
    std::function<void()> core;
};

double Measure(const std::function<void()>& operation) {
    const double start = CpuNanoseconds();
    for (int i = 0; i < kOperations; ++i) operation();
    return (CpuNanoseconds() - start) / kOperations;
}

void Report(const Row& row) {
    double bare = std::numeric_limits<double>::max();
    double core = bare;
    for (int round = 0; round < kRounds; ++round) {
        bare = std::min(bare, Measure(row.bare));
        core = std::min(core, Measure(row.core));
    }
    std::printf("%-28s %10.1f %10.1f %8.2f\n", row.name, bare, core, core / bare);
}

}  // namespace

int main() {
    std::array<std::uint8_t, kCiphertextOverhead + kValueSize> sealed{};
    std::array<std::uint8_t, kCiphertextOverhead + kValueSize> randomised{};
    std::array<std::uint8_t, kCiphertextOverhead + kValueSize> deterministic{};
    std::array<std::uint8_t, kValueSize> opened{};

    BareGcm encrypt(true);
    BareGcm decrypt(false);
    const BareHmac hmac;
    std::array<std::uint8_t, 32> iv{};
    std::array<std::uint8_t, kValueSize + kTagSize> body{};
    std::array<std::uint8_t, kTagSize> tag{};
    encrypt.Encrypt(iv.data(), body.data(), tag.data());

    const SecretKey key = SecretKey::Random();
    DataKey data_key(1, key);
    const IndexKey index_key("pii", key);
    const auto seal_deterministic = [&] {
        std::array<std::uint8_t, Aead::kIvSize> index_iv;
        index_key.DeterministicIv(Kind::kText, {}, value, index_iv.data());
        data_key.SealDeterministic(Kind::kText, index_iv.data(), {}, value, deterministic.data());
    };
    data_key.SealRandomised(Kind::kText, {}, value, randomised.data());
    seal_deterministic();
    const auto open = [&](ByteView bytes) {
        const auto parsed = ParseCiphertext(bytes);
        Require(parsed && data_key.Open(*parsed, {}, opened.data()));
    };

    // Bare encryption counts its IVs up; the core draws random ones, from a batch.
    std::uint64_t counter = 0;
    const auto bare_encrypt = [&] {
        StoreBigEndian(++counter, iv.data());
        encrypt.Encrypt(iv.data(), sealed.data(), tag.data());
    };
    const auto bare_deterministic = [&] {
        hmac.Compute(iv.data());
        encrypt.Encrypt(iv.data(), sealed.data(), tag.data());
    };
    const std::array<std::uint8_t, Aead::kIvSize> fixed_iv{};
    std::array<std::uint8_t, kTagSize> fixed_tag{};
    encrypt.Encrypt(fixed_iv.data(), body.data(), fixed_tag.data());
    const auto bare_decrypt = [&] {
        decrypt.Decrypt(fixed_iv.data(), body.data(), fixed_tag.data(), opened.data());
    };

    std::printf("%-28s %10s %10s %8s\n", "ns of CPU, 32 bytes", "OpenSSL", "core", "ratio");
    Report({"encrypt, randomised", bare_encrypt,
            [&] { data_key.SealRandomised(Kind::kText, {}, value, sealed.data()); }});
    Report({"encrypt, deterministic", bare_deterministic, seal_deterministic});
    Report({"decrypt, randomised", bare_decrypt, [&] { open(randomised); }});
    Report({"decrypt, deterministic", bare_decrypt, [&] { open(deterministic); }});
    return 0;
}
