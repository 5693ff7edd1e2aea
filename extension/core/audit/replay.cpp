#include "audit/replay.hpp"

#include <algorithm>
#include <bit>

namespace rampart::audit {
namespace {

// The first `size` leaves of those a frontier stands for. Nothing unless it has them as subtrees of
// its own.
std::optional<Frontier> Beginning(const Frontier& front, std::uint64_t size) {
    const std::uint64_t rest = front.size() - size;  // the binary ones that `size` has not
    // They are the larger ones, if they are among its own.
    if (size > front.size() || (size & rest) != 0 || (size & (std::bit_ceil(rest + 1) - 1)) != 0) {
        return std::nullopt;
    }
    return Frontier::Restore(size,
                             front.hashes().first(static_cast<std::size_t>(std::popcount(size))));
}

void AppendOrLose(std::optional<Frontier>& tree, const std::optional<Hash>& leaf) {
    if (tree && leaf) {
        tree->Append(*leaf);
    } else {
        tree.reset();
    }
}

}  // namespace

Replay::Replay(std::string log_class, std::vector<KnownHead> heads, const Frontier& front,
               Options options)
    : heads_(std::move(heads)),
      options_(options),
      result_{.log_class = std::move(log_class), .first = front.size()},
      next_(front.size()),
      computed_(front),
      stored_(front) {
    CompareFront(front);
    CompareHeads();
}

// Heads of fewer leaves than the front.
void Replay::CompareFront(const Frontier& front) {
    for (; next_head_ < heads_.size() && heads_[next_head_].head.size < front.size();
         ++next_head_) {
        const KnownHead& known = heads_[next_head_];
        const auto beginning = Beginning(front, known.head.size);
        if (!beginning) {
            ++result_.unreachable;
        } else if (beginning->Root() == known.head.root) {
            ++result_.heads;
        } else if (disagreeing_ == nullptr) {
            disagreeing_ = &known;
        }
    }
}

void Replay::Take(const ShownLeaf& leaf) {
    if (!TakesPlace(leaf)) return;
    if (leaf.id) {
        misfits_.Observe(leaf);
    } else {
        ++result_.removed;
        if (leaf.index >= options_.kept_from) {
            Report({.kind = FindingKind::kRemoved, .first = leaf.index});
        }
    }
    Append(leaf);
    CompareHeads();
}

// False for a leaf that was shown before, or that should have been.
bool Replay::TakesPlace(const ShownLeaf& leaf) {
    if (leaf.index < next_) {
        const bool late = gap_ && leaf.index >= gap_->first && leaf.index <= gap_->last;
        Report({.kind = late ? FindingKind::kReordered : FindingKind::kDoubled,
                .first = leaf.index,
                .id = leaf.id,
                .other = late ? std::optional(gap_->last + 1) : std::nullopt});
        if (late && gap_->first == gap_->last) {
            std::erase_if(result_.findings, [&](const Finding& finding) {
                return finding.kind == FindingKind::kMissing && finding.first == gap_->first;
            });
        }
        return false;
    }
    if (leaf.index > next_) {
        if (!gap_) gap_ = {next_, leaf.index - 1};
        Report({.kind = FindingKind::kMissing, .first = next_, .last = leaf.index - 1});
        computed_.reset();
        stored_.reset();
    }
    return true;
}

void Replay::Append(const ShownLeaf& leaf) {
    AppendOrLose(computed_, leaf.id ? leaf.computed : leaf.stored);
    AppendOrLose(stored_, leaf.stored);
    next_ = leaf.index + 1;
}

// Those of as many leaves as there are now. Of several with different roots, which is a finding of
// its own (KnownHeads), one may be right.
void Replay::CompareHeads() {
    const KnownHead* wrong = nullptr;
    const KnownHead* right = nullptr;
    for (; next_head_ < heads_.size() && heads_[next_head_].head.size <= next_; ++next_head_) {
        const KnownHead& known = heads_[next_head_];
        if (known.head.size != next_) continue;  // inside a gap
        const bool agrees = computed_ && computed_->Root() == known.head.root;
        (agrees ? right : wrong) = &known;
    }
    if (right != nullptr) {
        Agree(*right);
    } else if (wrong != nullptr && disagreeing_ == nullptr) {
        disagreeing_ = wrong;
        stored_agrees_ = stored_ && stored_->Root() == wrong->head.root;
    }
}

void Replay::Agree(const KnownHead& head) {
    // All leaves so far are those of a signed head. Where an older head disagreed, it is not of
    // this history; where a stored leaf hash did, it is wrong and not its entry.
    if (disagreeing_ != nullptr) ReportAmong(FindingKind::kNotContinued);
    if (misfits_.any()) Report(misfits_.First(FindingKind::kLeafHash));
    misfits_.Settle();
    disagreeing_ = nullptr;
    result_.proven = head.head.size;
    result_.proven_by = head.label;
    ++result_.heads;
}

// The leaves from the last head that agreed to the first that does not.
void Replay::ReportAmong(FindingKind kind) {
    const std::uint64_t last = std::max<std::uint64_t>(disagreeing_->head.size, 1) - 1;
    Report({.kind = kind,
            .first = std::min(result_.proven, last),
            .last = last,
            .checkpoint = disagreeing_->label});
}

// Since the last head that agreed.
void Replay::ReportDisagreement() {
    const bool before_gap =
        disagreeing_ != nullptr && (!gap_ || disagreeing_->head.size <= gap_->first);
    const bool explained = before_gap && stored_agrees_ && misfits_.any() &&
                           misfits_.index() < disagreeing_->head.size;
    if (before_gap && !explained) ReportAmong(FindingKind::kRewritten);
    if (misfits_.any()) Report(misfits_.First());
}

// The newest head has entries that were not shown: was it the log that forgot them, or the export?
void Replay::ReportEnd() {
    if (heads_.empty() || heads_.back().head.size <= next_) return;
    const KnownHead& newest = heads_.back();
    Finding finding{.kind = FindingKind::kCutOff,
                    .first = next_,
                    .last = newest.head.size - 1,
                    .checkpoint = newest.label};
    const bool at_older_head = std::ranges::any_of(
        heads_, [&](const KnownHead& known) { return known.head.size == next_; });
    if (options_.own_size ? *options_.own_size < newest.head.size : at_older_head) {
        finding.kind = FindingKind::kRolledBack;
        finding.other = options_.own_size.value_or(next_);
    }
    Report(finding);
}

// Keeps the first of a kind.
void Replay::Report(Finding finding) {
    const auto known = std::ranges::find(result_.findings, finding.kind, &Finding::kind);
    if (known != result_.findings.end()) {
        ++known->count;
        return;
    }
    finding.log_class = result_.log_class;
    result_.findings.push_back(std::move(finding));
}

ReplayResult Replay::Finish() {
    ReportDisagreement();
    ReportEnd();
    result_.end = next_;
    std::ranges::stable_sort(result_.findings, {}, &Finding::first);
    return std::move(result_);
}

}  // namespace rampart::audit
