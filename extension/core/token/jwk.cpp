#include "token/jwk.hpp"

#include <new>
#include <string>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "crypto/base64.hpp"
#include "error.hpp"
#include "policy/value.hpp"

namespace rampart::token {
namespace {

using policy::Value;
using Bytes = std::vector<std::uint8_t>;
using BigNumber = std::unique_ptr<BIGNUM, OpenSslDeleter<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, OpenSslDeleter<EVP_PKEY_CTX_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, OpenSslDeleter<OSSL_PARAM_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpenSslDeleter<OSSL_PARAM_BLD_free>>;

[[noreturn]] void Refuse(const std::string& problem) {
    ERR_clear_error();
    throw Error(errc::kInvalidParameter, "malformed JWK", problem);
}

Value Parse(std::string_view json) {
    try {
        return policy::ParseJson(json, policy::JsonRules::kStrict);
    } catch (const Error&) {
        Refuse("It is not JSON.");
    }
}

std::string TextMember(const Value& jwk, const char* name) {
    const Value* value = jwk.Find(name);
    const auto* text = value == nullptr ? nullptr : value->As<std::string>();
    if (text == nullptr) Refuse("It has no \"" + std::string(name) + "\".");
    return *text;
}

Bytes BytesMember(const Value& jwk, const char* name) {
    auto bytes = FromBase64Url(TextMember(jwk, name));
    if (!bytes || bytes->empty()) Refuse("Its \"" + std::string(name) + "\" is not base64url.");
    return *std::move(bytes);
}

KeyPair FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    if (parameters == nullptr || context == nullptr) throw std::bad_alloc();
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        Refuse("It is not a valid public key.");
    return KeyPair(key);
}

ParameterBuilder NewBuilder() {
    ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr) throw std::bad_alloc();
    return builder;
}

KeyPair Ed25519Of(const Value& jwk) {
    if (TextMember(jwk, "crv") != "Ed25519") Refuse("Of type OKP, Ed25519 is known.");
    const Bytes x = BytesMember(jwk, "x");
    KeyPair key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x.data(), x.size()));
    if (key == nullptr) Refuse("Its \"x\" does not have 32 bytes.");
    return key;
}

KeyPair P256Of(const Value& jwk) {
    constexpr std::size_t kCoordinate = 32;
    if (TextMember(jwk, "crv") != "P-256") Refuse("Of type EC, P-256 is known.");
    const Bytes x = BytesMember(jwk, "x");
    const Bytes y = BytesMember(jwk, "y");
    if (x.size() != kCoordinate || y.size() != kCoordinate)
        Refuse("A coordinate does not have 32 bytes.");
    Bytes point{4};  // uncompressed
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    const ParameterBuilder builder = NewBuilder();
    CheckOpenSsl(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                 SN_X9_62_prime256v1, 0) == 1 &&
                     OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                      point.data(), point.size()) == 1,
                 "parameters of a public key");
    return FromParameters("EC", builder.get());
}

BigNumber Number(const Bytes& bytes) {
    BigNumber number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    if (number == nullptr) throw std::bad_alloc();
    return number;
}

KeyPair RsaOf(const Value& jwk) {
    const BigNumber n = Number(BytesMember(jwk, "n"));
    const BigNumber e = Number(BytesMember(jwk, "e"));
    const ParameterBuilder builder = NewBuilder();
    CheckOpenSsl(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
                 "parameters of a public key");
    return FromParameters("RSA", builder.get());
}

}  // namespace

KeyPair PublicKeyOfJwk(std::string_view json) {
    const Value jwk = Parse(json);
    if (jwk.Find("d") != nullptr) Refuse("It is a private key: register its public half.");
    const std::string type = TextMember(jwk, "kty");
    if (type == "OKP") return Ed25519Of(jwk);
    if (type == "EC") return P256Of(jwk);
    if (type == "RSA") return RsaOf(jwk);
    Refuse("A public key is of type OKP, EC or RSA.");
}

Bytes SecretOfJwk(std::string_view json) {
    const Value jwk = Parse(json);
    if (TextMember(jwk, "kty") != "oct") Refuse("A secret is of type oct.");
    return BytesMember(jwk, "k");
}

}  // namespace rampart::token
