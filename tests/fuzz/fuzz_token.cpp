// Input: a token; or a header and, behind a line feed, a payload, which are signed here; or a key.
// Whatever is believed must be by the key's algorithm and issuer, and its claims must read back as
// they are written; a key that is taken must be taken in its canonical form.
#include "crypto/base64.hpp"
#include "crypto/hmac.hpp"
#include "error.hpp"
#include "fuzz.hpp"
#include "token/compact.hpp"
#include "token/verify.hpp"

using namespace rampart;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

std::string Base64Url(ByteView bytes) {
    std::string text = Base64(bytes);
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text.substr(0, text.find('='));
}

const std::vector<token::Key>& Keys() {
    static const std::vector<token::Key> keys = [] {
        std::vector<token::Key> made;
        made.push_back({.id = "k",
                        .algorithm = token::Algorithm::kHs256,
                        .issuer = "i",
                        .audience = "a",
                        .key = token::VerificationKey::FromSecret(fuzz::FixedKey().Reveal())});
        return made;
    }();
    return keys;
}

void CheckToken(std::string_view text) {
    try {
        const Principal principal = token::Verify(text, Keys(), kNow);
        fuzz::Require(token::ParseCompact(text).algorithm == "HS256", "the algorithm is the key's");
        fuzz::Require(principal.issuer == "i", "the issuer is the key's");
        fuzz::Require(principal.expires_at >= kNow, "what is believed has not expired");
        fuzz::Require(!principal.subject.empty(), "a principal has a subject");
        fuzz::Require(ReadClaims(policy::ParseJson(WriteClaims(principal))) == principal,
                      "claims are read back");
    } catch (const Error& error) {
        const std::string_view state = error.state().view();
        fuzz::Require(state == errc::kTokenRefused.view() || state == errc::kLimitExceeded.view(),
                      "a token is refused by RMP08 or for its size");
    }
}

void CheckSigned(std::string_view input) {
    const std::size_t end = input.find('\n');
    if (end == input.npos) return;
    std::string message =
        Base64Url(AsBytes(input.substr(0, end))) + "." + Base64Url(AsBytes(input.substr(end + 1)));
    std::uint8_t mac[HmacSha256::kSize];
    const HmacSha256 key(fuzz::FixedKey().Reveal());
    HmacSha256::Message state = key.Start();
    state.Update(AsBytes(message));
    state.Final(mac);
    CheckToken(message + "." + Base64Url(mac));
}

void CheckKey(std::string_view text) {
    using token::Algorithm;
    for (const Algorithm algorithm : {Algorithm::kEdDsa, Algorithm::kEs256, Algorithm::kRs256}) {
        try {
            const auto der = token::VerificationKey::FromText(algorithm, text).Der();
            const auto again = token::VerificationKey::FromDer(algorithm, der);
            fuzz::Require(again.Der() == der, "a key has one canonical form");
            fuzz::Require(!again.Verify(AsBytes(text), AsBytes(text)), "nothing signs itself");
        } catch (const Error& error) {
            fuzz::Require(error.state().view() == errc::kInvalidParameter.view(),
                          "a key is refused by 22023");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = AsText({data, size});
    CheckToken(input);
    CheckSigned(input);
    CheckKey(input);
    return 0;
}
