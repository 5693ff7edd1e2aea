#include "audit/merkle.hpp"

#include <algorithm>
#include <bit>

namespace rampart::audit {
namespace {

constexpr std::uint8_t kLeafPrefix = 0;
constexpr std::uint8_t kNodePrefix = 1;
constexpr std::size_t kHashSize = std::tuple_size_v<Hash>;
constexpr std::size_t kSizeBytes = sizeof(std::uint64_t);

// A vector of hashes is one run of bytes.
static_assert(sizeof(Hash) == kHashSize);

std::size_t Ones(std::uint64_t size) { return static_cast<std::size_t>(std::popcount(size)); }

}  // namespace

Hash EmptyRoot() { return Sha256({}); }

Sha256Stream LeafStream() {
    Sha256Stream stream;
    stream.Update({&kLeafPrefix, 1});
    return stream;
}

Hash LeafHash(ByteView leaf) {
    Sha256Stream stream = LeafStream();
    stream.Update(leaf);
    return stream.Final();
}

Hash NodeHash(const Hash& left, const Hash& right) {
    std::array<std::uint8_t, 1 + 2 * kHashSize> node;
    node[0] = kNodePrefix;
    std::copy(left.begin(), left.end(), node.begin() + 1);
    std::copy(right.begin(), right.end(), node.begin() + 1 + kHashSize);
    return Sha256(node);
}

ByteView BytesOf(std::span<const Hash> hashes) {
    return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

std::optional<std::vector<Hash>> HashesOf(ByteView bytes) {
    if (bytes.size() % kHashSize != 0) return std::nullopt;
    std::vector<Hash> hashes(bytes.size() / kHashSize);
    if (!bytes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
    return hashes;
}

std::optional<Frontier> Frontier::Restore(std::uint64_t size, std::span<const Hash> hashes) {
    if (size > kMaxTreeSize || hashes.size() != Ones(size)) return std::nullopt;
    Frontier frontier;
    frontier.size_ = size;
    frontier.count_ = hashes.size();
    std::copy(hashes.begin(), hashes.end(), frontier.hashes_.begin());
    return frontier;
}

std::vector<std::uint8_t> Frontier::Serialise() const {
    const ByteView bytes = BytesOf(hashes());
    std::vector<std::uint8_t> out(kSizeBytes + bytes.size());
    StoreBigEndian(size_, out.data());
    std::copy(bytes.begin(), bytes.end(), out.begin() + kSizeBytes);
    return out;
}

std::optional<Frontier> Frontier::Parse(ByteView bytes) {
    if (bytes.size() < kSizeBytes) return std::nullopt;
    const auto size = LoadBigEndian<std::uint64_t>(bytes.data());
    // Before hashes are copied: how many bytes there are is up to the sender.
    if (bytes.size() - kSizeBytes != Ones(size) * kHashSize) return std::nullopt;
    const auto hashes = HashesOf(bytes.subspan(kSizeBytes));
    return hashes ? Restore(size, *hashes) : std::nullopt;
}

void Frontier::Append(const Hash& leaf) {
    Hash hash = leaf;
    for (int merges = std::countr_one(size_); merges > 0; --merges) {
        hash = NodeHash(hashes_[--count_], hash);
    }
    hashes_[count_++] = hash;
    ++size_;
}

Hash Frontier::Root() const {
    if (count_ == 0) return EmptyRoot();
    Hash hash = hashes_[count_ - 1];
    for (std::size_t i = count_ - 1; i > 0; --i) hash = NodeHash(hashes_[i - 1], hash);
    return hash;
}

std::optional<Hash> Frontier::Find(Subtree subtree) const {
    // The subtree of 2^level leaves exists where that digit is one, after all that larger digits
    // name.
    const std::uint64_t leading = subtree.level < 64 ? size_ >> subtree.level : 0;
    if ((leading & 1) == 0 || subtree.index != leading - 1) return std::nullopt;
    return hashes_[Ones(leading) - 1];
}

bool Frontier::operator==(const Frontier& other) const {
    return size_ == other.size_ && std::ranges::equal(hashes(), other.hashes());
}

}  // namespace rampart::audit
