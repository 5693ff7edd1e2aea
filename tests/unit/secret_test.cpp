#include "secret.hpp"

#include <gtest/gtest.h>

namespace rampart {
namespace {

TEST(Secret, MovedFromIsEmpty) {
    SecretKey key = SecretKey::Random();
    const SecretKey other = std::move(key);
    EXPECT_EQ(other.Reveal().size(), SecretKey::kSize);
}

}  // namespace
}  // namespace rampart
