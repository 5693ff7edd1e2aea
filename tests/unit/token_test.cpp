// Tokens: the examples of RFC 7515 and RFC 8037, and what is none.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crypto/base64.hpp"
#include "error.hpp"
#include "policy/options.hpp"
#include "token/claims.hpp"
#include "token/jws.hpp"
#include "token/token_key.hpp"

namespace rampart::token {
namespace {

constexpr char kPayload[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";

struct Vector {
    const char* name;
    const char* algorithm;
    std::string key;  // in PEM; of HS256 in base64url
    std::string header;
    std::string payload;
    std::string signature;
};

std::string Pem(const std::string& body) {
    return "-----BEGIN PUBLIC KEY-----\n" + body + "-----END PUBLIC KEY-----\n";
}

const std::vector<Vector>& Vectors() {
    static const std::vector<Vector> vectors = {
        {"RFC 8037, A.4", "EdDSA",
         Pem("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"),
         "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
         "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
        {"RFC 7515, A.3", "ES256",
         Pem("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
             "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"),
         "eyJhbGciOiJFUzI1NiJ9", kPayload,
         "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
        {"RFC 7515, A.2", "RS256",
         Pem("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
             "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
             "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
             "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
             "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
             "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
             "oQIDAQAB\n"),
         "eyJhbGciOiJSUzI1NiJ9", kPayload,
         "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
         "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
         "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
         "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
        {"RFC 7515, A.1", "HS256",
         "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
         "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", kPayload,
         "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    };
    return vectors;
}

TokenKey KeyOf(const Vector& vector) {
    const Algorithm algorithm = *AlgorithmNamed(vector.algorithm);
    if (algorithm == Algorithm::kHs256) return {algorithm, *FromBase64Url(vector.key)};
    return {algorithm, AsBytes(std::string_view(vector.key))};
}

std::string ReasonOf(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        EXPECT_EQ(error.state().view(), "RMP08");
        return error.detail();
    }
    return "no error";
}

std::string Url(std::string text) {
    std::string encoded = Base64(AsBytes(std::string_view(text)));
    std::erase(encoded, '=');
    std::ranges::replace(encoded, '+', '-');
    std::ranges::replace(encoded, '/', '_');
    return encoded;
}

std::string Token(const std::string& header, const std::string& payload) {
    return Url(header) + "." + Url(payload) + ".AAAA";
}

TEST(Token, VectorsOfTheStandards) {
    for (const Vector& vector : Vectors()) {
        SCOPED_TRACE(vector.name);
        const TokenKey key = KeyOf(vector);
        const std::string message = vector.header + "." + vector.payload;
        auto signature = *FromBase64Url(vector.signature);
        EXPECT_TRUE(key.Verify(message, signature));
        EXPECT_FALSE(key.Verify(message + "x", signature));
        for (std::size_t i = 0; i < signature.size(); i += 7) {
            signature[i] ^= 1;
            EXPECT_FALSE(key.Verify(message, signature));
            signature[i] ^= 1;
        }
        for (std::size_t size = 0; size < signature.size(); ++size)
            EXPECT_FALSE(key.Verify(message, ByteView(signature).first(size)));
        signature.push_back(0);
        EXPECT_FALSE(key.Verify(message, signature));
    }
}

TEST(Token, KeysVerifyByTheirAlgorithmOnly) {
    for (const Vector& a : Vectors()) {
        for (const Vector& b : Vectors()) {
            if (a.name == b.name) continue;
            EXPECT_FALSE(KeyOf(a).Verify(b.header + "." + b.payload, *FromBase64Url(b.signature)));
        }
        if (a.algorithm == std::string("HS256")) continue;
        for (const Vector& b : Vectors()) {
            if (a.name == b.name || b.algorithm == std::string("HS256")) continue;
            EXPECT_THROW(TokenKey(*AlgorithmNamed(b.algorithm), AsBytes(std::string_view(a.key))),
                         Error);
        }
    }
    EXPECT_FALSE(AlgorithmNamed("none"));
    EXPECT_FALSE(AlgorithmNamed("es256"));
}

TEST(Token, TakenApart) {
    const std::string text =
        Token(R"({"alg": "ES256", "kid": "k", "typ": "JWT"})", R"({"sub": "ada"})");
    const Jws jws = ParseJws(text);
    EXPECT_EQ(jws.algorithm, "ES256");
    EXPECT_EQ(jws.key_id, "k");
    EXPECT_EQ(jws.payload_text, R"({"sub": "ada"})");
    EXPECT_EQ(jws.signed_part, text.substr(0, text.rfind('.')));
    EXPECT_EQ(jws.signature.size(), 3U);
}

TEST(Token, MalformedOnes) {
    const std::string good = R"({"alg": "ES256"})";
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(good, R"({"a": 1, "a": 2})")); }),
              "Its claims are malformed.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(R"({"alg": "ES256", "alg": "none"})", "{}")); }),
              "Its header is malformed.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(R"({"alg": 1})", "{}")); }),
              "Its header is malformed.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(R"({"alg": "ES256", "kid": 1})", "{}")); }),
              "Its header is malformed.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(R"({"alg": "ES256", "crit": []})", "{}")); }),
              "It asks for an extension.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(Token(good, "{}") + "."); }), "It is not of three parts.");
    EXPECT_EQ(ReasonOf([&] { ParseJws(std::string(kMaxTokenText + 1, 'a')); }), "It is too long.");
    EXPECT_FALSE(FromBase64Url("AB=="));
    EXPECT_FALSE(FromBase64Url("AB"));  // bits that mean nothing
    EXPECT_FALSE(FromBase64Url("A+AA"));
    EXPECT_TRUE(FromBase64Url("AA"));
}

TEST(Token, Times) {
    const auto check = [](const char* payload) {
        return ReasonOf([&] { CheckClaims(policy::ParseJson(payload), {"i", "a", 1000, 30}); });
    };
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": 1001})"), "no error");
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": 971})"), "no error");
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": 970})"), "It has expired.");
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": 2000, "nbf": 1030})"), "no error");
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": 2000, "nbf": 1031})"),
              "It does not hold yet.");
    EXPECT_EQ(check(R"({"iss": "i", "aud": "a", "exp": -1e300})"), "It has expired.");
    EXPECT_EQ(check(R"({"iss": "i", "aud": ["b", "a"], "exp": 2000})"), "no error");
    EXPECT_EQ(check(R"({"iss": "i", "aud": [], "exp": 2000})"), "It is for another audience.");
}

TEST(PolicyOptionsOfJson, ReadAndRefused) {
    const policy::PolicyOptions options = policy::ParseOptions(
        R"({"roles": {"g": {"matching": "keyMatch", "max_depth": 3}}, "fields": {"p": {"priority": 2}}})");
    EXPECT_EQ(options.roles.at("g").role_matching, policy::Function::kKeyMatch);
    EXPECT_EQ(options.roles.at("g").max_depth, 3U);
    EXPECT_EQ(options.fields.at("p").priority, 2U);
    for (const char* json :
         {"1", "[]", R"({"x": {}})", R"({"roles": []})", R"({"roles": {"g": {"x": 1}}})",
          R"({"roles": {"g": {"matching": "keyGet"}}})", R"({"roles": {"g": {"max_depth": 0.5}}})",
          R"({"fields": {"p": {"priority": -1}}})", R"({"fields": {"p": {"x": 1}}})"}) {
        EXPECT_THROW(policy::ParseOptions(json), Error) << json;
    }
}

}  // namespace
}  // namespace rampart::token
