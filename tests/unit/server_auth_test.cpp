// Passwords, tokens and secrets of rampartd, and its settings.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "auth/password.hpp"
#include "auth/password_policy.hpp"
#include "auth/secrets.hpp"
#include "auth/tokens/jws.hpp"
#include "auth/tokens/verified_tokens.hpp"
#include "config/settings.hpp"
#include "crypto/base64.hpp"
#include "error.hpp"
#include "token/verify.hpp"

namespace rampart::server::auth {
namespace {

PasswordSettings Fast() {
    PasswordSettings settings;
    settings.argon2_memory_kib = 7168;
    settings.argon2_iterations = 1;
    settings.bcrypt_cost = 10;
    return settings;
}

TEST(Passwords, VerifyAgainstTheirHashes) {
    for (const char* algorithm : {"argon2id", "bcrypt"}) {
        PasswordSettings settings = Fast();
        settings.hash = algorithm;
        const PasswordHasher hasher(settings);
        const std::string hash = hasher.Hash("Correct-horse-7");
        EXPECT_TRUE(hasher.Verify("Correct-horse-7", hash));
        EXPECT_FALSE(hasher.Verify("Correct-horse-8", hash));
        EXPECT_FALSE(hasher.Verify("", hash));
        EXPECT_NE(hash, hasher.Hash("Correct-horse-7")) << "salted";
        EXPECT_FALSE(hasher.IsOutdated(hash));
        settings.argon2_iterations = 2;
        settings.bcrypt_cost = 11;
        EXPECT_TRUE(PasswordHasher(settings).IsOutdated(hash)) << "parameters have risen";
    }
}

// Of the argon2 program and of PHP's and Apache's bcrypt, made elsewhere.
TEST(Passwords, OfOtherSystemsVerify) {
    const PasswordHasher hasher(Fast());
    const char* argon2i =
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
    EXPECT_TRUE(hasher.Verify("password", argon2i));
    EXPECT_FALSE(hasher.Verify("passwore", argon2i));
    const char* bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    EXPECT_TRUE(hasher.Verify("U*U", bcrypt));
    EXPECT_TRUE(hasher.IsOutdated(bcrypt));
    for (const char* other : {"", "x", "$1$abc$def", "$6$salt$hash", "$2b$", "$2b$10$short",
                              "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$$", "*0"}) {
        EXPECT_FALSE(hasher.Verify("password", other)) << other;
        EXPECT_FALSE(hasher.Verify("", other)) << other;
    }
}

TEST(Passwords, BeyondBcryptAreRefusedNotCut) {
    PasswordSettings settings = Fast();
    settings.hash = "bcrypt";
    const PasswordHasher hasher(settings);
    const std::string most(kBcryptMost, 'x');
    const std::string hash = hasher.Hash(most);
    EXPECT_TRUE(hasher.Verify(most, hash));
    EXPECT_FALSE(hasher.Verify(most + "y", hash));
    EXPECT_THROW(hasher.Hash(most + "y"), Error);
}

TEST(PasswordPolicy, NamesWhatIsMissing) {
    const PasswordSettings settings;
    const auto faults = [&](const char* password) {
        return PasswordFaults(password, "ada@example.com", "Ada Lovelace", settings);
    };
    EXPECT_TRUE(faults("Correct-horse-7-battery").empty());
    EXPECT_EQ(faults("short"),
              (std::vector<std::string>{"has fewer than 12 characters", "has no uppercase letter",
                                        "has no digit", "has no special character"}));
    EXPECT_EQ(faults("Password-1234"), (std::vector<std::string>{"is too easy to guess"}));
    EXPECT_EQ(faults("Lovelace-Ada1"), (std::vector<std::string>{"is too easy to guess"}))
        << "made of the name";
    PasswordSettings asvs;
    asvs.policy = "asvs";
    EXPECT_TRUE(PasswordFaults("correct horse battery staple", "", "", asvs).empty());
    EXPECT_FALSE(PasswordFaults("passwordpassword", "", "", asvs).empty());
}

TEST(Tokens, AreWhatTheDatabaseVerifies) {
    for (const char* name : {"ES256", "EdDSA", "RS256"}) {
        const NewKey made = MakeKey(name);
        const KeyPair key = PrivateKeyOfPem(made.private_pem);
        const std::string text =
            Sign(key.get(), name, "k1",
                 {{"iss", "i"}, {"aud", "a"}, {"sub", "s"}, {"exp", 2'000'000'000}});
        const nlohmann::json jwk = JwkOf(PublicKeyOfPem(made.public_pem).get(), name, "k1");
        EXPECT_FALSE(jwk.contains("d"));
        const token::Algorithm algorithm = *token::AlgorithmNamed(name);
        std::vector<token::Key> keys;
        keys.push_back({"k1", algorithm, "i", "a", 0, true, 0, INT64_MAX,
                        token::VerificationKey::FromText(algorithm, jwk.dump())});
        EXPECT_EQ(token::Verify(text, keys, 1'900'000'000).subject, "s") << name;
        std::string forged = text;
        forged[forged.find('.') + 3] ^= 1;
        EXPECT_THROW(token::Verify(forged, keys, 1'900'000'000), Error) << name;
    }
}

TEST(Secrets, AreRandomAndTheirSuccessorsAreNot) {
    EXPECT_EQ(NewToken().size(), 43U);
    EXPECT_NE(NewToken(), NewToken());
    const std::vector<std::uint8_t> key(32, 1);
    const std::vector<std::uint8_t> other(32, 2);
    EXPECT_EQ(SuccessorOf("t", key), SuccessorOf("t", key));
    EXPECT_NE(SuccessorOf("t", key), SuccessorOf("u", key));
    EXPECT_NE(SuccessorOf("t", key), SuccessorOf("t", other));
    for (std::size_t size = 0; size < 6; ++size) {
        const std::vector<std::uint8_t> bytes(size, 0xfb);
        EXPECT_EQ(FromBase64Url(Base64Url(bytes)), bytes) << size;
    }
}

class SettingsFile : public testing::Test {
  protected:
    ~SettingsFile() override { std::filesystem::remove(path_); }

    Settings Read(const std::string& text) {
        std::ofstream(path_) << text;
        return Load(path_);
    }
    std::string Refusal(const std::string& text) {
        try {
            Read(text);
        } catch (const ConfigurationError& error) {
            return error.what();
        }
        return "";
    }

  private:
    const std::string path_ =
        testing::TempDir() + "/rampartd_unit." + std::to_string(getpid()) + ".toml";
};

TEST_F(SettingsFile, IsReadByTheTable) {
    const Settings settings = Read(
        "[http]\nport = 9\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[rates]\nsign_in = "
        "\"7/2m\"\n");
    EXPECT_EQ(settings.http.port, 9);
    EXPECT_EQ(settings.http.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
    EXPECT_EQ(settings.rates.sign_in.requests, 7);
    EXPECT_EQ(settings.rates.sign_in.seconds, 120);
    EXPECT_EQ(settings.PublicUrl(), "https://localhost:9");
    EXPECT_NO_THROW(Read(DefaultFile())) << "what `rampartd settings` prints";
}

TEST_F(SettingsFile, ThatIsWrongIsRefusedByName) {
    EXPECT_EQ(Refusal("[http]\nport = 99999\n"), "http.port: has to be from 0 to 65535");
    EXPECT_EQ(Refusal("[http]\nprot = 1\n"), "http.prot: there is no such setting");
    EXPECT_EQ(Refusal("[http]\nplain = 1\n"), "http.plain: has to be true or false");
    EXPECT_EQ(Refusal("[http]\nallow = [1]\n"), "http.allow: is a list of strings");
    EXPECT_EQ(Refusal("port = 1\n"), "port: stands outside of a section");
    EXPECT_EQ(Refusal("[rates]\nsign_in = \"0/1m\"\n"),
              "rates.sign_in: a rate is 1 to 1000000 requests in one second to one day");
}

TEST_F(SettingsFile, YieldsToTheEnvironment) {
    setenv("RAMPART_HTTP_PORT", "77", 1);
    EXPECT_EQ(Read("[http]\nport = 9\n").http.port, 77);
    unsetenv("RAMPART_HTTP_PORT");
}

TEST(VerifiedTokens, AreFoundByAllOfThemUntilTheyExpire) {
    VerifiedTokens verified;
    const Sha256Digest token = HashOf("header.claims.signature");
    EXPECT_FALSE(verified.Find(token, 10));
    http::TokenClaims claims;
    claims.subject = "ada";
    claims.expires_at = 100;
    verified.Add(token, claims);
    EXPECT_EQ(verified.Find(token, 99)->subject, "ada");
    EXPECT_FALSE(verified.Find(token, 100));
    Sha256Digest other = token;
    other.back() ^= 1;
    EXPECT_FALSE(verified.Find(other, 10)) << "the same place, another token";
    verified.Add(other, claims);
    EXPECT_FALSE(verified.Find(token, 10)) << "one place holds one token";
    EXPECT_TRUE(verified.Find(other, 10));
}

}  // namespace
}  // namespace rampart::server::auth
