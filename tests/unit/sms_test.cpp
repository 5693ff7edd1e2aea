// Signatures of what is posted to a provider's hook.
#include <string>

#include <gtest/gtest.h>

#include "sms/signature.hpp"

namespace rampart::server::sms {
namespace {

// Of the tests of the reference implementations.
TEST(SmsSignature, IsThatOfStandardWebhooks) {
    const auto key = KeyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(SignatureOf(HmacSha256(*key), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                          R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SmsSignature, TakesSecretsOf24To64Bytes) {
    EXPECT_EQ(KeyOf("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
              KeyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    EXPECT_TRUE(KeyOf(std::string(84, 'A') + "AA==").has_value());        // 64 bytes
    EXPECT_FALSE(KeyOf(std::string(84, 'A') + "AAA=").has_value());       // 65
    EXPECT_FALSE(KeyOf("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==").has_value());  // 22
    for (const char* none : {"", "whsec_", "whsec_correct horse battery staple",
                             "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"}) {
        EXPECT_FALSE(KeyOf(none).has_value()) << none;
    }
}

}  // namespace
}  // namespace rampart::server::sms
