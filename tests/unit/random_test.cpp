#include "crypto/random.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vectors.hpp"

namespace rampart {
namespace {

constexpr std::size_t kIvSize = 12;
constexpr int kManyBatches = 3000;

std::string NextIv() {
    std::string iv(kIvSize, '\0');
    RandomPool::Next({reinterpret_cast<std::uint8_t*>(iv.data()), kIvSize});
    return iv;
}

void ExpectAllNew(std::set<std::string>& seen, const std::string& ivs) {
    ASSERT_EQ(ivs.size() % kIvSize, 0U);
    for (std::size_t i = 0; i < ivs.size(); i += kIvSize) {
        EXPECT_TRUE(seen.insert(ivs.substr(i, kIvSize)).second);
    }
}

std::string DrawIvs(int count) {
    std::string ivs;
    for (int i = 0; i < count; ++i) ivs += NextIv();
    return ivs;
}

void WriteAll(int descriptor, const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t written = write(descriptor, bytes.data() + done, bytes.size() - done);
        if (written <= 0) _exit(1);
        done += static_cast<std::size_t>(written);
    }
}

std::string ReadAll(int descriptor) {
    std::string bytes;
    char buffer[4096];
    for (ssize_t got; (got = read(descriptor, buffer, sizeof buffer)) > 0;) {
        bytes.append(buffer, static_cast<std::size_t>(got));
    }
    return bytes;
}

// The IVs that a forked child draws, and those of a grandchild that it forks in turn.
std::string DrawInChild() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        std::string ivs = DrawIvs(kManyBatches);
        const pid_t grandchild = fork();
        if (grandchild != 0) waitpid(grandchild, nullptr, 0);
        ivs = grandchild == 0 ? DrawIvs(10) : ivs + DrawIvs(10);
        WriteAll(ends[1], ivs);
        _exit(0);
    }
    close(ends[1]);
    std::string ivs = ReadAll(ends[0]);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(ivs.size(), (kManyBatches + 20) * kIvSize);
    return ivs;
}

TEST(Random, FillsAndDiffers) {
    test::Bytes first(1000);
    test::Bytes second(1000);
    RandomBytes(first);
    RandomBytes(second);
    RandomBytes({});
    EXPECT_NE(first, second);
    EXPECT_NE(first, test::Bytes(1000));
}

TEST(RandomPool, NeverRepeats) {
    std::set<std::string> seen;
    ExpectAllNew(seen, DrawIvs(20'000));
}

TEST(RandomPool, ProcessesShareNothing) {
    std::set<std::string> seen;
    // In the middle of a batch, so that there is something to inherit.
    ExpectAllNew(seen, DrawIvs(5));
    for (int child = 0; child < 4; ++child) {
        ExpectAllNew(seen, DrawInChild());
        ExpectAllNew(seen, DrawIvs(3));
    }
    ExpectAllNew(seen, DrawIvs(kManyBatches));
}

}  // namespace
}  // namespace rampart
