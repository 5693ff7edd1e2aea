// A class's leaves held against signed heads: all small trees, every leaf changed, fronts of every
// size. What an export does to it is in tests/verify.
#include <gtest/gtest.h>

#include <bit>

#include "audit/replay.hpp"
#include "audit_trees.hpp"

namespace rampart::audit {
namespace {

using test::DefinedRoot;
using test::NumberedLeaves;

constexpr std::size_t kSizes = 21;
constexpr std::size_t kStep = 4;  // leaves between heads

const std::vector<Hash>& Leaves() {
    static const std::vector<Hash> leaves = NumberedLeaves(kSizes + 1);
    return leaves;
}

KnownHead HeadOf(std::size_t size, const std::string& label = {}) {
    return {{size, DefinedRoot(test::Hashes(Leaves()).first(size))},
            label.empty() ? std::to_string(size) : label};
}

// Every fourth size, and the last.
std::vector<KnownHead> Heads(std::size_t size) {
    std::vector<KnownHead> heads;
    for (std::size_t n = 0; n < size; n += kStep) heads.push_back(HeadOf(n));
    heads.push_back(HeadOf(size));
    return heads;
}

Frontier FrontOf(std::size_t size) {
    Frontier front;
    for (std::size_t i = 0; i < size; ++i) front.Append(Leaves()[i]);
    return front;
}

std::vector<ShownLeaf> Shown(std::size_t size, std::size_t first = 0) {
    std::vector<ShownLeaf> shown;
    for (std::size_t i = first; i < size; ++i) {
        shown.push_back({i, static_cast<std::int64_t>(i), Leaves()[i], Leaves()[i]});
    }
    return shown;
}

ReplayResult Replayed(const std::vector<ShownLeaf>& shown, std::vector<KnownHead> heads,
                      const Frontier& front = {}, Replay::Options options = {}) {
    Replay replay("normal", std::move(heads), front, options);
    for (const ShownLeaf& leaf : shown) replay.Take(leaf);
    return replay.Finish();
}

std::vector<std::string> Kinds(const ReplayResult& result) {
    std::vector<std::string> kinds;
    for (const Finding& finding : result.findings) kinds.emplace_back(NameOf(finding.kind));
    return kinds;
}
using KindList = std::vector<std::string>;

TEST(AuditReplay, GoodTreesAreGood) {
    for (std::size_t size = 0; size <= kSizes; ++size) {
        const ReplayResult result = Replayed(Shown(size), Heads(size));
        EXPECT_EQ(Kinds(result), KindList()) << size;
        EXPECT_EQ(result.proven, size);
        EXPECT_EQ(result.heads, Heads(size).size());
        EXPECT_EQ(result.end, size);
    }
}

TEST(AuditReplay, AnAlteredEntryIsNamedByItsStoredHash) {
    for (std::size_t i = 0; i < kSizes; ++i) {
        auto shown = Shown(kSizes);
        shown[i].computed = EmptyRoot();
        const ReplayResult result = Replayed(shown, Heads(kSizes));
        ASSERT_EQ(Kinds(result), KindList{"altered"}) << i;
        EXPECT_EQ(result.findings[0].first, i);
        EXPECT_EQ(result.findings[0].id, static_cast<std::int64_t>(i));
        EXPECT_EQ(result.proven, i / kStep * kStep);
        shown[i].computed.reset();  // cannot be hashed
        EXPECT_EQ(Kinds(Replayed(shown, Heads(kSizes))), KindList{"altered"}) << i;
    }
}

TEST(AuditReplay, AStoredHashAloneIsToldFromItsEntry) {
    for (std::size_t i = 0; i < kSizes; ++i) {
        auto shown = Shown(kSizes);
        shown[i].stored = EmptyRoot();
        const ReplayResult result = Replayed(shown, Heads(kSizes));
        ASSERT_EQ(Kinds(result), KindList{"leaf_hash"}) << i;
        EXPECT_EQ(result.findings[0].first, i);
        EXPECT_EQ(result.proven, kSizes);
    }
}

TEST(AuditReplay, BothTogetherAreBoundByHeads) {
    for (std::size_t i = 0; i < kSizes; ++i) {
        auto shown = Shown(kSizes);
        shown[i].computed = shown[i].stored = EmptyRoot();
        const ReplayResult result = Replayed(shown, Heads(kSizes));
        ASSERT_EQ(Kinds(result), KindList{"rewritten"}) << i;
        EXPECT_EQ(result.findings[0].first, i / kStep * kStep);
        EXPECT_EQ(result.findings[0].last, std::min(i / kStep * kStep + kStep, kSizes) - 1);
    }
}

TEST(AuditReplay, MissingDoubledAndSwappedLinesAreToldApart) {
    for (std::size_t i = 0; i + 1 < kSizes; ++i) {
        auto missing = Shown(kSizes);
        missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(Kinds(Replayed(missing, Heads(kSizes))), KindList{"missing"}) << i;
        auto doubled = Shown(kSizes);
        doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), doubled[i]);
        EXPECT_EQ(Kinds(Replayed(doubled, Heads(kSizes))), KindList{"doubled"}) << i;
        auto swapped = Shown(kSizes);
        std::swap(swapped[i], swapped[i + 1]);
        const ReplayResult result = Replayed(swapped, Heads(kSizes));
        ASSERT_EQ(Kinds(result), KindList{"reordered"}) << i;
        EXPECT_EQ(result.findings[0].first, i);
    }
}

TEST(AuditReplay, EntriesThatMovedAreFoundInEachOthersPlaces) {
    const auto arranged = [](auto&& arrange) {
        auto shown = Shown(kSizes);
        std::vector<std::optional<Hash>> computed;
        for (const ShownLeaf& leaf : shown) computed.push_back(leaf.computed);
        arrange(computed);
        for (std::size_t i = 0; i < kSizes; ++i) shown[i].computed = computed[i];
        return Replayed(shown, Heads(kSizes));
    };
    for (std::ptrdiff_t i = 1; i + 3 < static_cast<std::ptrdiff_t>(kSizes); ++i) {
        const auto removed = arranged([&](auto& hashes) {
            hashes.erase(hashes.begin() + i);
            hashes.emplace_back(EmptyRoot());
        });
        EXPECT_EQ(Kinds(removed), KindList{"missing"}) << i;
        const auto inserted =
            arranged([&](auto& hashes) { hashes.insert(hashes.begin() + i, EmptyRoot()); });
        EXPECT_EQ(Kinds(inserted), KindList{"inserted"}) << i;
        const auto doubled = arranged([&](auto& hashes) {
            hashes.insert(hashes.begin() + i, Leaves()[static_cast<std::size_t>(i) - 1]);
        });
        EXPECT_EQ(Kinds(doubled), KindList{"doubled"}) << i;
        const auto moved = arranged([&](auto& hashes) {
            std::rotate(hashes.begin() + i, hashes.begin() + i + 1, hashes.begin() + i + 3);
        });
        EXPECT_EQ(Kinds(moved), KindList{"reordered"}) << i;
        for (const auto* result : {&removed, &inserted, &doubled, &moved}) {
            EXPECT_EQ(result->findings[0].first, static_cast<std::uint64_t>(i));
        }
    }
}

TEST(AuditReplay, AFrontStandsForLeavesAndForItsSubtrees) {
    std::vector<KnownHead> heads;
    for (std::size_t n = 0; n <= kSizes; ++n) heads.push_back(HeadOf(n));
    for (std::size_t first = 0; first <= kSizes; ++first) {
        const ReplayResult result = Replayed(Shown(kSizes, first), heads, FrontOf(first));
        EXPECT_EQ(Kinds(result), KindList()) << first;
        // Sizes whose binary ones are the largest of the front's: so many, and that of no leaf.
        const auto subtrees = static_cast<std::size_t>(std::popcount(first));
        EXPECT_EQ(result.unreachable, first - subtrees) << first;
        EXPECT_EQ(result.heads, heads.size() - result.unreachable);
    }
}

TEST(AuditReplay, AForgedFrontIsFound) {
    for (std::size_t first = 1; first <= kSizes; ++first) {
        Frontier front = FrontOf(first - 1);
        front.Append(EmptyRoot());
        const ReplayResult result = Replayed(Shown(kSizes, first), {HeadOf(kSizes)}, front);
        EXPECT_EQ(Kinds(result), KindList{"rewritten"}) << first;
    }
}

TEST(AuditReplay, AHeadOfAnotherHistoryDoesNotSpoilTheNewest) {
    std::vector<KnownHead> heads = Heads(kSizes);
    heads[3].head.root = EmptyRoot();
    heads[3].label = "other";
    const ReplayResult result = Replayed(Shown(kSizes), heads);
    ASSERT_EQ(Kinds(result), KindList{"not_continued"});
    EXPECT_EQ(result.findings[0].checkpoint, "other");
    EXPECT_EQ(result.findings[0].first, 2 * kStep);
    EXPECT_EQ(result.findings[0].last, 3 * kStep - 1);
    EXPECT_EQ(result.proven, kSizes);
}

TEST(AuditReplay, AShortLogIsCutOffOrRolledBack) {
    for (std::size_t end = 0; end < kSizes; ++end) {
        const bool at_head = end % kStep == 0;
        EXPECT_EQ(Kinds(Replayed(Shown(end), Heads(kSizes))),
                  KindList{at_head ? "rolled_back" : "cut_off"})
            << end;
        EXPECT_EQ(Kinds(Replayed(Shown(end), Heads(kSizes), {}, {.own_size = kSizes})),
                  KindList{"cut_off"});
        EXPECT_EQ(Kinds(Replayed(Shown(end), Heads(kSizes), {}, {.own_size = end})),
                  KindList{"rolled_back"});
    }
}

TEST(AuditReplay, RemovedEntriesAreThoseBeforeTheFirstToBeKept) {
    auto shown = Shown(kSizes);
    for (const std::size_t i : {3U, 5U}) shown[i].id = std::nullopt, shown[i].computed.reset();
    EXPECT_EQ(Kinds(Replayed(shown, Heads(kSizes), {}, {.kept_from = 6})), KindList());
    const ReplayResult result = Replayed(shown, Heads(kSizes), {}, {.kept_from = 5});
    EXPECT_EQ(Kinds(result), KindList{"removed"});
    EXPECT_EQ(result.findings[0].first, 5U);
    EXPECT_EQ(result.removed, 2U);
}

TEST(AuditReplay, WhatNoHeadCoversIsNotProven) {
    const ReplayResult result = Replayed(Shown(kSizes), {HeadOf(8)});
    EXPECT_EQ(Kinds(result), KindList());
    EXPECT_EQ(result.proven, 8U);
    EXPECT_EQ(result.end, kSizes);
    EXPECT_EQ(Replayed(Shown(kSizes), {}).proven, 0U);
}

TEST(AuditReplay, IndexesOfAnySizeDoNoHarm) {
    auto shown = Shown(3);
    shown.push_back({kMaxTreeSize - 1, 9, Leaves()[0], Leaves()[0]});
    shown.push_back({0, 9, Leaves()[0], Leaves()[0]});
    const ReplayResult result = Replayed(shown, {HeadOf(3), {{kMaxTreeSize, EmptyRoot()}, "far"}});
    EXPECT_EQ(Kinds(result), (KindList{"doubled", "missing"}));
    EXPECT_EQ(result.end, kMaxTreeSize);
}

// Known heads ---------------------------------------------------------------------------------

Checkpoint Stated(std::size_t security, std::size_t normal) {
    return {.origin = "o",
            .security = HeadOf(security).head,
            .others = {{"normal", HeadOf(normal).head}},
            .extensions = {}};
}

TEST(AuditKnownHeads, AGrowingLogHasNoContradictions) {
    KnownHeads heads;
    for (const auto& [security, normal] : {std::pair(3, 9), {0, 0}, {3, 4}, {2, 4}, {3, 9}}) {
        heads.Add(Stated(static_cast<std::size_t>(security), static_cast<std::size_t>(normal)),
                  "x");
    }
    EXPECT_TRUE(heads.Contradictions().empty());
    EXPECT_EQ(heads.Classes(), (std::vector<std::string>{"normal", "security"}));
    std::vector<std::uint64_t> sizes;
    for (const KnownHead& known : heads.Of("normal")) sizes.push_back(known.head.size);
    EXPECT_EQ(sizes, (std::vector<std::uint64_t>{0, 4, 9}));
    EXPECT_TRUE(heads.Of("other").empty());
}

TEST(AuditKnownHeads, TwoHistoriesContradictEachOther) {
    KnownHeads crossed;
    crossed.Add(Stated(3, 4), "a");
    crossed.Add(Stated(2, 9), "b");
    ASSERT_EQ(crossed.Contradictions().size(), 1U);
    EXPECT_EQ(NameOf(crossed.Contradictions()[0].kind), "forked");
    KnownHeads forked;
    Checkpoint other = Stated(3, 4);
    other.others["normal"].root = EmptyRoot();
    forked.Add(Stated(3, 4), "a");
    forked.Add(other, "b");
    ASSERT_EQ(forked.Contradictions().size(), 1U);
    EXPECT_EQ(forked.Contradictions()[0].other_checkpoint, "b");
    EXPECT_EQ(forked.Of("normal").size(), 2U);
}

TEST(AuditFinding, EveryKindHasANameAndWords) {
    for (int i = 0; i <= static_cast<int>(FindingKind::kNotConsistent); ++i) {
        const auto kind = static_cast<FindingKind>(i);
        const std::string text = Describe({.kind = kind,
                                           .log_class = "normal",
                                           .first = 3,
                                           .last = 5,
                                           .id = 12,
                                           .other = 7,
                                           .checkpoint = "{range}",
                                           .other_checkpoint = "{checkpoint}"});
        EXPECT_TRUE(i == 0 || NameOf(kind) != NameOf(FindingKind::kUnsigned)) << i;
        EXPECT_EQ(text.find("{where}"), std::string::npos) << text;
        EXPECT_EQ(text.find("{other}"), std::string::npos) << text;
    }
    EXPECT_EQ(
        Describe({.kind = FindingKind::kMissing, .log_class = "normal", .first = 3, .last = 5}),
        "entries 3 to 5 of class normal are missing");
    EXPECT_EQ(
        Describe({.kind = FindingKind::kMissing, .log_class = "normal", .first = 3, .last = 3}),
        "entry 3 of class normal is missing");
}

}  // namespace
}  // namespace rampart::audit
