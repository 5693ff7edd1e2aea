// Signed tokens: published examples, and everything that is not to be believed.
#include <gtest/gtest.h>

#include "crypto/base64.hpp"
#include "crypto/ed25519.hpp"
#include "error.hpp"
#include "token/compact.hpp"
#include "token/secret_seal.hpp"
#include "token/verify.hpp"
#include "vectors.hpp"

namespace rampart::token {
namespace {

using test::Bytes;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr char kHeader[] = R"({"alg":"EdDSA","kid":"k","typ":"at+jwt"})";
constexpr char kClaims[] =
    R"({"iss":"i","aud":"a","sub":"ada","org":"acme","roles":["EDITOR"],"teams":["red"],)"
    R"("scope":"read  write","jti":"t","sid":"s","iat":1700000000,"exp":1700000900})";

std::string Base64Url(ByteView bytes) {
    std::string text = Base64(bytes);
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text.substr(0, text.find('='));
}

Ed25519Key Signer() { return Ed25519Key(SecretKey(Bytes(32, 7))); }

std::string Sign(const std::string& header, const std::string& payload) {
    const std::string message = Base64Url(AsBytes(header)) + "." + Base64Url(AsBytes(payload));
    return message + "." + Base64Url(Signer().Sign(AsBytes(message)));
}

std::vector<Key> Keys() {
    const std::string jwk =
        R"({"kty":"OKP","crv":"Ed25519","x":")" + Base64Url(Signer().public_key()) + "\"}";
    std::vector<Key> keys;
    keys.push_back({.id = "k",
                    .algorithm = Algorithm::kEdDsa,
                    .issuer = "i",
                    .audience = "a",
                    .leeway = 30,
                    .key = VerificationKey::FromText(Algorithm::kEdDsa, jwk)});
    return keys;
}

// Why it is refused; empty: it is not.
std::string Refusal(std::string_view token, const std::vector<Key>& keys = Keys(),
                    std::int64_t now = kNow) {
    try {
        (void)Verify(token, keys, now);
        return "";
    } catch (const Error& error) {
        if (error.state().view() != errc::kTokenRefused.view())
            return std::string(error.state().view());
        return std::string(error.what()).substr(std::string_view("token refused: ").size());
    }
}

// The published examples verify as what they are: message and signature under a JWK.
void Verifies(Algorithm algorithm, const std::string& jwk, std::string_view token) {
    const std::size_t dot = token.rfind('.');
    const auto signature = FromBase64Url(token.substr(dot + 1));
    ASSERT_TRUE(signature.has_value());
    Bytes secret;
    if (algorithm == Algorithm::kHs256) secret = SecretFromText(jwk);
    const VerificationKey key = algorithm == Algorithm::kHs256
                                    ? VerificationKey::FromSecret(secret)
                                    : VerificationKey::FromText(algorithm, jwk);
    EXPECT_TRUE(key.Verify(AsBytes(token.substr(0, dot)), *signature));
    for (std::size_t bit = 0; bit < signature->size() * 8; ++bit) {
        Bytes changed = *signature;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(key.Verify(AsBytes(token.substr(0, dot)), changed)) << bit;
    }
    EXPECT_FALSE(key.Verify(AsBytes(token.substr(1, dot - 1)), *signature));
    EXPECT_FALSE(key.Verify(AsBytes(token.substr(0, dot)), {}));
}

TEST(Token, AnswersAsRfc8037A4Has) {
    Verifies(Algorithm::kEdDsa,
             R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
             "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
             "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

constexpr char kRfc7515Claims[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

TEST(Token, AnswersAsRfc7515A1Has) {
    Verifies(
        Algorithm::kHs256,
        R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iP)"
        R"(S4hcgUuTwjAzZr1Z9CAow"})",
        std::string("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.") + kRfc7515Claims +
            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Token, AnswersAsRfc7515A2Has) {
    Verifies(
        Algorithm::kRs256,
        R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-)"
        R"(4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7)"
        R"(OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlx)"
        R"(vb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5)"
        R"(4h4FRWyuXpoQ","e":"AQAB"})",
        std::string("eyJhbGciOiJSUzI1NiJ9.") + kRfc7515Claims +
            ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
            "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIAR"
            "NPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvh"
            "J1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
            "IoypGlUPQGe77Rw");
}

TEST(Token, AnswersAsRfc7515A3Has) {
    Verifies(Algorithm::kEs256,
             R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
             std::string("eyJhbGciOiJFUzI1NiJ9.") + kRfc7515Claims +
                 ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
                 "Kg6NU1Q");
}

TEST(Token, GivesItsClaims) {
    const Principal principal = Verify(Sign(kHeader, kClaims), Keys(), kNow);
    EXPECT_EQ(principal.subject, "ada");
    EXPECT_EQ(principal.organisation, "acme");
    EXPECT_EQ(principal.roles, std::vector<std::string>{"EDITOR"});
    EXPECT_EQ(principal.teams, std::vector<std::string>{"red"});
    EXPECT_EQ(principal.scopes, (std::vector<std::string>{"read", "write"}));
    EXPECT_EQ(principal.issuer, "i");
    EXPECT_EQ(principal.token_id, "t");
    EXPECT_EQ(principal.session, "s");
    EXPECT_EQ(principal.expires_at, 1'700'000'900);
    EXPECT_FALSE(principal.api_key);
    EXPECT_EQ(ReadClaims(policy::ParseJson(WriteClaims(principal))), principal);
}

TEST(Token, ClaimsOfAnyTextAreReadBack) {
    Principal principal;
    principal.api_key = true;
    principal.expires_at = -1;
    for (int byte = 1; byte < 256; ++byte) principal.subject += static_cast<char>(byte);
    principal.roles = {"", "\"", "\\", "\x1f", principal.subject};
    EXPECT_EQ(ReadClaims(policy::ParseJson(WriteClaims(principal))), principal);
}

TEST(Token, CountsWithinItsTimeAndTheLeeway) {
    const std::string token = Sign(
        kHeader, R"({"iss":"i","aud":["b","a"],"sub":"ada","nbf":1700000000,"exp":1700000900})");
    EXPECT_EQ(Refusal(token, Keys(), kNow - 31), "it is not valid yet");
    EXPECT_EQ(Refusal(token, Keys(), kNow - 30), "");
    EXPECT_EQ(Refusal(token, Keys(), kNow + 929), "");
    EXPECT_EQ(Refusal(token, Keys(), kNow + 930), "it has expired");
    std::vector<Key> keys = Keys();
    keys[0].leeway = 0;
    EXPECT_EQ(Refusal(token, keys, kNow + 899), "");
    EXPECT_EQ(Refusal(token, keys, kNow + 900), "it has expired");
    keys[0].from = kNow + 1;
    EXPECT_EQ(Refusal(token, keys), "its key is not valid at this time");
    keys[0].from = 0;
    keys[0].until = kNow;
    EXPECT_EQ(Refusal(token, keys), "its key is not valid at this time");
    keys[0].until = kNow + 1;
    EXPECT_EQ(Refusal(token, keys), "");
    keys[0].key.reset();
    EXPECT_EQ(Refusal(token, keys), "its key cannot be used at present");
    EXPECT_EQ(Refusal(token, {}), "it names a key that is not known here");
}

TEST(Token, ItsAlgorithmIsTheKeys) {
    const std::string good = Sign(kHeader, kClaims);
    const std::string rest = good.substr(good.find('.'));
    for (const char* algorithm : {"none", "None", "", "HS256", "ES256", "RS256", "eddsa"}) {
        const std::string header =
            R"({"alg":")" + std::string(algorithm) + R"(","kid":"k","typ":"at+jwt"})";
        EXPECT_EQ(Refusal(Sign(header, kClaims)), "its algorithm is not the one of its key");
        EXPECT_EQ(Refusal(Base64Url(AsBytes(header)) + rest),
                  "its algorithm is not the one of its key");
    }
}

TEST(Token, EveryCutAndEveryChangedBitIsRefused) {
    const std::string token = Sign(kHeader, kClaims);
    ASSERT_EQ(Refusal(token), "");
    for (std::size_t size = 0; size < token.size(); ++size)
        EXPECT_NE(Refusal(token.substr(0, size)), "") << size;
    for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
        std::string changed = token;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        EXPECT_NE(Refusal(changed), "") << bit;
    }
    for (std::size_t at = 0; at <= token.size(); ++at) {
        for (const char c : {'.', '=', 'A', ' ', '\n', '\0', '+'})
            EXPECT_NE(Refusal(std::string(token).insert(at, 1, c)), "") << at;
    }
    EXPECT_EQ(Refusal(std::string(kMaxTokenSize + 1, 'a')), "54000");
    EXPECT_EQ(Refusal(std::string(kMaxTokenSize, '.')),
              "it does not have three parts, as a signed token has");
}

TEST(Token, HeadersThatBringKeysOrExtensionsAreRefused) {
    for (const char* member : {R"("jwk":{})", R"("jku":"https://a/b")", R"("x5u":"u")",
                               R"("x5c":[])", R"("crit":["exp"])", R"("b64":false)"}) {
        const std::string header = R"({"alg":"EdDSA","kid":"k",)" + std::string(member) + "}";
        EXPECT_NE(Refusal(Sign(header, kClaims)).find("which is not taken"), std::string::npos);
    }
    for (const char* header :
         {R"({"alg":"EdDSA","alg":"EdDSA","kid":"k"})", R"({"alg":"EdDSA","kid":7})",
          R"({"alg":["EdDSA"],"kid":"k"})", R"({"kid":"k"})", "[]", "", "{", "\"EdDSA\"",
          R"({"alg":"EdDSA","kid":"k"} )"
          "\xff"}) {
        EXPECT_NE(Refusal(Sign(header, kClaims)), "") << header;
    }
    EXPECT_EQ(Refusal(Sign(R"({"alg":"EdDSA"})", kClaims)), "");
}

TEST(Token, ClaimsOfAnotherKindAreRefused) {
    const std::string names[] = {"iss", "aud", "sub", "org", "roles", "teams",  "scope",  "jti",
                                 "sid", "exp", "nbf", "iat", "role",  "scopes", "api_key"};
    for (const std::string& name : names) {
        for (const char* value : {"null", "{}", "[[]]", "[null]", "1e999", "\"\\u0000\""}) {
            std::string claims = R"({"iss":"i","aud":"a","sub":"s","exp":1700000900})";
            const std::size_t found = claims.find("\"" + name + "\":");
            const std::string member = "\"" + name + "\":" + value;
            if (found == claims.npos) {
                claims.insert(1, member + ",");
            } else {
                const std::size_t end = claims.find_first_of(",}", found);
                claims.replace(found, end - found, member);
            }
            EXPECT_NE(Refusal(Sign(kHeader, claims)), "") << claims;
        }
    }
}

TEST(Token, SecretsAreSealedForOneKey) {
    const SecretKey key{ByteView(Bytes(32, 7))};
    const Bytes secret = test::ToBytes("a secret of HS256 that is long enough");
    const Bytes sealed = SealSecret(key, "k", secret);
    EXPECT_EQ(OpenSecret(key, "k", sealed), secret);
    EXPECT_NE(SealSecret(key, "k", secret), sealed);
    EXPECT_FALSE(OpenSecret(key, "l", sealed).has_value());
    EXPECT_FALSE(OpenSecret(SecretKey(ByteView(Bytes(32, 8))), "k", sealed).has_value());
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(OpenSecret(key, "k", ByteView(sealed).first(size)).has_value());
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Bytes changed = sealed;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(OpenSecret(key, "k", changed).has_value());
    }
}

// RFC 4231: keys of other lengths than ours, beyond a block too.
TEST(Token, HmacTakesKeysOfAnyLength) {
    const auto mac = [](const Bytes& key, std::string_view message) {
        const HmacSha256 hmac{ByteView(key)};
        HmacSha256::Message state = hmac.Start();
        state.Update(AsBytes(message));
        std::array<std::uint8_t, 32> out;
        state.Final(out.data());
        return test::Hex(out);
    };
    EXPECT_EQ(mac(test::ToBytes("Jefe"), "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(mac(Bytes(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace rampart::token
