// Input: a wrapped key, and also the text of a root key. What unwraps under the fixed root key must
// be what that key wraps; what reads as a root key must be usable.
#include <algorithm>

#include "fuzz.hpp"
#include "keyring/root_key.hpp"

using namespace rampart;

namespace {

constexpr KeyIdentity kIdentity{
    .id = 0x0123456789abcdef, .version = 1, .purpose = KeyPurpose::kData, .scope = "pii"};

const RootKey& Root() {
    static const RootKey root(fuzz::FixedKey());
    return root;
}

void CheckUnwrap(ByteView input) {
    const auto key = Root().Unwrap(kIdentity, input);
    if (!key) return;
    fuzz::Require(std::ranges::equal(Root().Wrap(kIdentity, *key), input),
                  "what unwraps is what the root key wraps");
}

void CheckParse(ByteView input) {
    const auto root = RootKey::Parse(input);
    if (!root) return;
    fuzz::Require(input.size() >= SecretKey::kSize, "a root key takes 32 bytes at least");
    const SecretKey key = fuzz::FixedKey();
    const auto back = root->Unwrap(kIdentity, root->Wrap(kIdentity, key));
    fuzz::Require(back && ConstantTimeEqual(back->Reveal(), key.Reveal()),
                  "a root key unwraps what it wrapped");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    CheckUnwrap({data, size});
    CheckParse({data, size});
    return 0;
}
