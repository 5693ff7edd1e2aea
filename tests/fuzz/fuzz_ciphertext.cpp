// Input: the bytes of a ciphertext. Whatever parses must have its fields where the format puts
// them, and whatever opens under the fixed key must be what that key seals.
#include <algorithm>
#include <vector>

#include "fuzz.hpp"
#include "keyring/data_key.hpp"

using namespace rampart;

namespace {

constexpr std::uint64_t kKeyId = 0x0123456789abcdef;

DataKey& Key() {
    static DataKey key(kKeyId, fuzz::FixedKey());
    return key;
}

void CheckLayout(const Ciphertext& parsed, ByteView input) {
    std::uint8_t header[kHeaderSize];
    WriteHeader(parsed.mode, parsed.kind, parsed.key_id, header);
    fuzz::Require(std::ranges::equal(header, parsed.header), "the header writes back the same");
    fuzz::Require(parsed.body.size() + kCiphertextOverhead == input.size() &&
                      parsed.iv == input.data() + kIvOffset &&
                      parsed.body.data() == input.data() + kBodyOffset &&
                      parsed.tag + kTagSize == input.data() + input.size(),
                  "the fields cover the input");
}

// GCM is deterministic once the IV is chosen, so an authentic value seals to itself. Only in
// deterministic mode does the caller choose it.
void CheckResealed(const Ciphertext& parsed, ByteView plaintext, ByteView input) {
    if (parsed.mode != Mode::kDeterministic) return;
    std::vector<std::uint8_t> sealed(input.size());
    Key().SealDeterministic(parsed.kind, parsed.iv, {}, plaintext, sealed.data());
    fuzz::Require(std::ranges::equal(sealed, input), "what opens is what the key seals");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const auto parsed = ParseCiphertext(input);
    if (!parsed) return 0;
    CheckLayout(*parsed, input);

    std::vector<std::uint8_t> out(parsed->body.size(), 0xff);
    if (Key().Open(*parsed, {}, out.data())) {
        fuzz::Require(parsed->key_id == kKeyId, "the key id is authenticated");
        CheckResealed(*parsed, out, input);
    } else {
        fuzz::Require(std::ranges::all_of(out, [](std::uint8_t byte) { return byte == 0; }),
                      "a refused plaintext is wiped");
    }
    return 0;
}
