// Tokens: whatever the bytes, a token is refused with its own error, or is one.
#include <array>

#include "error.hpp"
#include "fuzz.hpp"
#include "token/claims.hpp"
#include "token/jws.hpp"
#include "token/token_key.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rampart::token;
    const std::string_view text = rampart::AsText({data, size});
    static const std::array<std::uint8_t, 32> secret{};
    static const TokenKey key(Algorithm::kHs256, secret);
    try {
        const Jws jws = ParseJws(text);
        (void)key.Verify(jws.signed_part, jws.signature);
        (void)ReadClaims(jws.payload);
        CheckClaims(jws.payload, {"issuer", "audience", 1.0e9, 30});
    } catch (const rampart::Error& error) {
        rampart::fuzz::Require(error.state().view() == "RMP08", "a refusal has its own error");
    }
    return 0;
}
