// An authenticator of a few lines, good ones and all the ways to be none.
#include <gtest/gtest.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "auth/mfa/webauthn.hpp"
#include "crypto/base64.hpp"
#include "crypto/openssl.hpp"
#include "crypto/sha256.hpp"
#include "vectors.hpp"

namespace rampart::server::mfa {
namespace {

using test::Bytes;

void Append(Bytes& bytes, ByteView more) { bytes.insert(bytes.end(), more.begin(), more.end()); }
Bytes Joined(Bytes first, ByteView second) {
    Append(first, second);
    return first;
}

std::string Base64Url(ByteView bytes) {
    std::string text = Base64(bytes);
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text.substr(0, text.find('='));
}

// CBOR heads of lengths below 65536.
Bytes Head(std::uint8_t major, std::size_t length) {
    const auto type = static_cast<std::uint8_t>(major << 5);
    if (length < 24) return {static_cast<std::uint8_t>(type | length)};
    if (length < 256) {
        return {static_cast<std::uint8_t>(type | 24), static_cast<std::uint8_t>(length)};
    }
    return {static_cast<std::uint8_t>(type | 25), static_cast<std::uint8_t>(length >> 8),
            static_cast<std::uint8_t>(length)};
}
Bytes Blob(ByteView bytes) { return Joined(Head(2, bytes.size()), bytes); }
Bytes Text(std::string_view text) { return Joined(Head(3, text.size()), AsBytes(text)); }

struct Authenticator {
    CoseAlgorithm algorithm = CoseAlgorithm::kEs256;
    KeyPair key;
    std::string party = "example.com";
    std::uint8_t flags = 0x05;  // present, verified
    std::uint32_t counter = 1;
    Bytes id = Bytes(32, 9);

    explicit Authenticator(CoseAlgorithm chosen = CoseAlgorithm::kEs256) : algorithm(chosen) {
        if (algorithm == CoseAlgorithm::kEs256) {
            key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
        } else if (algorithm == CoseAlgorithm::kEdDsa) {
            key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        } else {
            key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
        }
    }

    Bytes Number(const char* name, std::size_t size) const {
        BIGNUM* number = nullptr;
        EVP_PKEY_get_bn_param(key.get(), name, &number);
        Bytes bytes(size);
        BN_bn2binpad(number, bytes.data(), static_cast<int>(size));
        BN_free(number);
        return bytes;
    }

    // COSE_Key (RFC 9053), members in canonical order.
    Bytes PublicKey() const {
        Bytes cose;
        if (algorithm == CoseAlgorithm::kEs256) {
            cose = {0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21};
            Append(cose, Blob(Number(OSSL_PKEY_PARAM_EC_PUB_X, 32)));
            cose.push_back(0x22);
            Append(cose, Blob(Number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)));
        } else if (algorithm == CoseAlgorithm::kEdDsa) {
            Bytes x(32);
            std::size_t size = x.size();
            EVP_PKEY_get_raw_public_key(key.get(), x.data(), &size);
            cose = Joined({0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21}, Blob(x));
        } else {
            cose = {0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20};
            Append(cose, Blob(Number(OSSL_PKEY_PARAM_RSA_N, 256)));
            cose.push_back(0x21);
            Append(cose, Blob(Number(OSSL_PKEY_PARAM_RSA_E, 3)));
        }
        return cose;
    }

    Bytes Data(bool with_credential) const {
        Bytes data;
        Append(data, Sha256(AsBytes(party)));
        data.push_back(static_cast<std::uint8_t>(flags | (with_credential ? 0x40 : 0)));
        Bytes count(4);
        StoreBigEndian(counter, count.data());
        Append(data, count);
        if (!with_credential) return data;
        Append(data, Bytes(16, 0));  // AAGUID
        Append(data, Bytes{0, static_cast<std::uint8_t>(id.size())});
        Append(data, id);
        Append(data, PublicKey());
        return data;
    }

    Bytes Sign(ByteView message) const {
        const DigestContext context(EVP_MD_CTX_new());
        const EVP_MD* digest = algorithm == CoseAlgorithm::kEdDsa ? nullptr : EVP_sha256();
        EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get());
        Bytes signature(512);
        std::size_t size = signature.size();
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size());
        signature.resize(size);
        return signature;
    }

    Bytes SignFor(ByteView data, const std::string& client) const {
        return Sign(Joined(Bytes(data.begin(), data.end()), Sha256(AsBytes(client))));
    }
};

const Bytes kChallenge(32, 7);

std::string ClientData(const char* type, ByteView challenge = kChallenge,
                       const std::string& origin = "https://example.com",
                       const std::string& more = R"(,"crossOrigin":false)") {
    return std::string(R"({"type":")") + type + R"(","challenge":")" + Base64Url(challenge) +
           R"(","origin":")" + origin + "\"" + more + "}";
}

Bytes Object(ByteView data, const std::string& format = "none", Bytes statement = {0xa0}) {
    Bytes object = {0xa3};
    Append(object, Text("fmt"));
    Append(object, Text(format));
    Append(object, Text("attStmt"));
    Append(object, statement);
    Append(object, Text("authData"));
    Append(object, Blob(data));
    return object;
}

Bytes SelfAttestation(const Authenticator& authenticator, const std::string& client) {
    Bytes statement = {0xa2};
    Append(statement, Text("alg"));
    statement.push_back(authenticator.algorithm == CoseAlgorithm::kEs256 ? 0x26 : 0x27);
    Append(statement, Text("sig"));
    Append(statement, Blob(authenticator.SignFor(authenticator.Data(true), client)));
    return statement;
}

RelyingParty Party() { return {"example.com", {"https://example.com"}, true}; }

Credential Register(const Authenticator& authenticator, const RelyingParty& party = Party(),
                    const std::string& client = ClientData("webauthn.create")) {
    return VerifyRegistration(party, kChallenge, AsBytes(client), Object(authenticator.Data(true)));
}

Credential Assert(const Authenticator& authenticator, const Credential& known,
                  const RelyingParty& party = Party(),
                  const std::string& client = ClientData("webauthn.get")) {
    const Bytes data = authenticator.Data(false);
    return VerifyAssertion(party, kChallenge, known, AsBytes(client), data,
                           authenticator.SignFor(data, client));
}

template <typename Function>
std::string Fault(Function&& function) {
    try {
        function();
        return "none";
    } catch (const WebAuthnRefused& refused) {
        return refused.what();
    }
}

class WebAuthnKeys : public testing::TestWithParam<CoseAlgorithm> {};

TEST_P(WebAuthnKeys, RegisterAndLogIn) {
    Authenticator authenticator(GetParam());
    authenticator.flags = 0x1d;  // present, verified, eligible for backup, backed up
    const Credential credential = Register(authenticator);
    EXPECT_EQ(credential.id, authenticator.id);
    EXPECT_EQ(credential.algorithm, GetParam());
    EXPECT_TRUE(credential.backup_eligible && credential.backed_up && credential.user_verified);
    authenticator.counter = 5;
    authenticator.flags = 0x0d;
    const Credential used = Assert(authenticator, credential);
    EXPECT_EQ(used.counter, 5U);
    EXPECT_FALSE(used.backed_up);
    EXPECT_EQ(Fault([&] { Assert(authenticator, used); }), "counter");
    authenticator.counter = 4;
    EXPECT_EQ(Fault([&] { Assert(authenticator, used); }), "counter");
}

TEST_P(WebAuthnKeys, RefuseWhatAnotherKeySigned) {
    const Authenticator one(GetParam());
    const Authenticator other(GetParam());
    Credential credential = Register(one);
    credential.counter = 0;
    EXPECT_EQ(Fault([&] { Assert(other, credential); }), "signature");
    const std::string client = ClientData("webauthn.get");
    const Bytes data = one.Data(false);
    const Bytes signature = one.SignFor(data, client);
    for (std::size_t i = 0; i < signature.size(); i += 7) {
        Bytes tampered = signature;
        tampered[i] ^= 1;
        EXPECT_EQ(Fault([&] {
                      VerifyAssertion(Party(), kChallenge, credential, AsBytes(client), data,
                                      tampered);
                  }),
                  "signature");
    }
    EXPECT_EQ(
        Fault([&] { VerifyAssertion(Party(), kChallenge, credential, AsBytes(client), data, {}); }),
        "signature");
    Bytes risen = data;
    risen[36] = 200;
    EXPECT_EQ(Fault([&] {
                  VerifyAssertion(Party(), kChallenge, credential, AsBytes(client), risen,
                                  signature);
              }),
              "signature");
}

INSTANTIATE_TEST_SUITE_P(All, WebAuthnKeys,
                         testing::Values(CoseAlgorithm::kEs256, CoseAlgorithm::kEdDsa,
                                         CoseAlgorithm::kRs256));

TEST(WebAuthn, TellsWhatIsWrongWithTheBrowsersPart) {
    const Authenticator authenticator;
    Credential known = Register(authenticator);
    known.counter = 0;
    const auto with = [&](const std::string& client) {
        return Fault([&] { Assert(authenticator, known, Party(), client); });
    };
    EXPECT_EQ(with(ClientData("webauthn.get")), "none");
    EXPECT_EQ(with(ClientData("webauthn.create")), "type");
    EXPECT_EQ(with(ClientData("webauthn.get", Bytes(32, 8))), "challenge");
    EXPECT_EQ(with(ClientData("webauthn.get", Bytes())), "challenge");
    for (const char* origin : {"https://example.com.evil.org", "http://example.com", "null",
                               "https://example.com:444", "https://evil.example.com"}) {
        EXPECT_EQ(with(ClientData("webauthn.get", kChallenge, origin)), "origin") << origin;
    }
    EXPECT_EQ(with(ClientData("webauthn.get", kChallenge, "https://example.com",
                              R"(,"crossOrigin":true)")),
              "origin");
    for (const std::string client :
         {"", "[]", "{}", R"({"type":1})", "{\"type\":\"webauthn.get\"}"}) {
        EXPECT_EQ(with(client), "malformed") << client;
    }
    EXPECT_EQ(Fault([&] {
                  VerifyAssertion(Party(), {}, known, AsBytes(ClientData("webauthn.get", Bytes())),
                                  {}, {});
              }),
              "challenge");
}

TEST(WebAuthn, TellsWhatIsWrongWithTheAuthenticatorsPart) {
    const Authenticator good;
    const Credential known = Register(good);
    const auto with = [&](std::uint8_t flags, RelyingParty party = Party()) {
        Authenticator changed;
        changed.flags = flags;
        return Fault([&] { Register(changed, party); });
    };
    EXPECT_EQ(with(0x05), "none");
    EXPECT_EQ(with(0x04), "user_absent");
    EXPECT_EQ(with(0x01), "user_not_verified");
    EXPECT_EQ(with(0x15), "backup_state");
    RelyingParty lenient = Party();
    lenient.verify_user = false;
    EXPECT_EQ(with(0x01, lenient), "none");
    Authenticator elsewhere;
    elsewhere.party = "evil.org";
    EXPECT_EQ(Fault([&] { Register(elsewhere); }), "relying_party");
    EXPECT_EQ(Fault([&] { Assert(elsewhere, known); }), "relying_party");
}

TEST(WebAuthn, HoldsBackupEligibilityForGood) {
    Authenticator authenticator;
    const Credential known = Register(authenticator);
    authenticator.counter = 2;
    authenticator.flags = 0x0d;
    EXPECT_EQ(Fault([&] { Assert(authenticator, known); }), "backup_state");
}

TEST(WebAuthn, TakesAuthenticatorsThatDoNotCount) {
    Authenticator authenticator;
    authenticator.counter = 0;
    const Credential known = Register(authenticator);
    EXPECT_EQ(Assert(authenticator, known).counter, 0U);
}

TEST(WebAuthn, VerifiesAttestationWhereThatIsAsked) {
    RelyingParty party = Party();
    party.attestation = Attestation::kVerified;
    const Authenticator authenticator;
    const Authenticator other;
    const std::string client = ClientData("webauthn.create");
    const auto with = [&](const std::string& format, const Bytes& statement) {
        return Fault([&] {
            VerifyRegistration(party, kChallenge, AsBytes(client),
                               Object(authenticator.Data(true), format, statement));
        });
    };
    EXPECT_EQ(with("packed", SelfAttestation(authenticator, client)), "none");
    EXPECT_EQ(with("packed", SelfAttestation(other, client)), "attestation");
    EXPECT_EQ(with("packed", SelfAttestation(authenticator, ClientData("webauthn.get"))),
              "attestation");
    EXPECT_EQ(with("none", {0xa0}), "attestation");
    EXPECT_EQ(with("packed", {0xa0}), "attestation");
    EXPECT_EQ(with("unheard-of", {0xa0}), "attestation");
}

TEST(WebAuthn, RefusesBytesThatAreNoObject) {
    const Authenticator authenticator;
    const std::string client = ClientData("webauthn.create");
    const Bytes good = Object(authenticator.Data(true));
    const auto with = [&](const Bytes& object) {
        return Fault([&] { VerifyRegistration(Party(), kChallenge, AsBytes(client), object); });
    };
    EXPECT_EQ(with(good), "none");
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(with(Bytes(good.begin(), good.begin() + static_cast<long>(size))), "malformed");
    }
    EXPECT_EQ(with(Joined(good, Bytes{0})), "malformed");
    EXPECT_EQ(with(Object(authenticator.Data(true), "none", {0xa1, 0x61, 'x', 0x01})), "malformed");
    EXPECT_EQ(with(Bytes(3000, 0x81)), "malformed");
    EXPECT_EQ(with({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "malformed");
    EXPECT_EQ(with({0xbb, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "malformed");
    // Every byte of what is parsed, changed: another outcome may be right, a crash never is.
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const std::uint8_t change : {0x01, 0x20, 0x80, 0xff}) {
            Bytes changed = good;
            changed[i] ^= change;
            (void)with(changed);
        }
    }
}

}  // namespace
}  // namespace rampart::server::mfa
