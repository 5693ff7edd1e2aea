#include "keyring/root_key.hpp"

#include <algorithm>
#include <array>

#include "crypto/hkdf.hpp"
#include "crypto/key_wrap.hpp"

namespace rampart {
namespace {

constexpr std::size_t kHexSize = 2 * SecretKey::kSize;

bool IsSpace(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsPrintable(std::uint8_t c) { return (c >= ' ' && c <= '~') || IsSpace(c); }

ByteView Trim(ByteView text) {
    while (!text.empty() && IsSpace(text.front())) text = text.subspan(1);
    while (!text.empty() && IsSpace(text.back())) text = text.first(text.size() - 1);
    return text;
}

// -1 for what is no hexadecimal digit. Computed, as an index into a table would leave the key's
// digits in the processor's cache.
int HexDigit(std::uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    const int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<SecretKey> ParseHex(ByteView text) {
    if (text.size() != kHexSize) return std::nullopt;
    SecretKey key;
    const ByteSpan bytes = key.MutableReveal();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = HexDigit(text[2 * i]);
        const int low = HexDigit(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return key;
}

// 32 printable characters are half a hexadecimal key or a passphrase, never 256 random bits.
std::optional<SecretKey> ParseRaw(ByteView text) {
    if (text.size() != SecretKey::kSize || std::all_of(text.begin(), text.end(), IsPrintable)) {
        return std::nullopt;
    }
    return SecretKey(text);
}

std::uint64_t Fingerprint(const SecretKey& key) {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes;
    HkdfSha256(key.Reveal(), {}, AsBytes("rampart root key fingerprint v1"), bytes);
    return LoadBigEndian<std::uint64_t>(bytes.data());
}

template <typename Integer>
void Append(std::vector<std::uint8_t>& bytes, Integer value) {
    bytes.resize(bytes.size() + sizeof value);
    StoreBigEndian(value, bytes.data() + bytes.size() - sizeof value);
}

}  // namespace

RootKey::RootKey(SecretKey key) : key_(std::move(key)), fingerprint_(Fingerprint(key_)) {}

std::optional<RootKey> RootKey::Parse(ByteView text) {
    std::optional<SecretKey> key = ParseRaw(text);
    if (!key) key = ParseHex(Trim(text));
    if (!key) return std::nullopt;
    return RootKey(std::move(*key));
}

SecretKey RootKey::WrappingKey(const KeyIdentity& identity) const {
    constexpr std::string_view kLabel = "rampart wrap v1";
    std::vector<std::uint8_t> info(kLabel.begin(), kLabel.end());
    Append(info, static_cast<std::uint8_t>(identity.purpose));
    Append(info, identity.id);
    Append(info, identity.version);
    Append(info, static_cast<std::uint32_t>(identity.scope.size()));
    info.insert(info.end(), identity.scope.begin(), identity.scope.end());
    return DeriveKey(key_, {}, info);
}

std::vector<std::uint8_t> RootKey::Wrap(const KeyIdentity& identity, const SecretKey& key) const {
    return WrapKey(WrappingKey(identity), key.Reveal());
}

std::optional<SecretKey> RootKey::Unwrap(const KeyIdentity& identity, ByteView wrapped) const {
    return UnwrapKey(WrappingKey(identity), wrapped);
}

}  // namespace rampart
