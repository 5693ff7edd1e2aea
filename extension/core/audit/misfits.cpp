#include "audit/misfits.hpp"

namespace rampart::audit {

void Misfits::Observe(const ShownLeaf& leaf) {
    if (any()) {
        const bool next = leaf.index == first_.index + 1;
        if (next && leaf.stored && leaf.stored == first_.computed) next_moved_up_ = true;
        if (!found_at_ && first_.stored && leaf.computed == first_.stored) found_at_ = leaf.index;
    }
    // No two entries have the same bytes.
    const bool repeats = leaf.computed && leaf.computed == previous_;
    if (repeats || !leaf.computed || (leaf.stored && leaf.computed != leaf.stored)) {
        if (++count_ == 1) {
            first_ = leaf;
            repeats_ = repeats;
        }
    }
    previous_ = leaf.computed;
}

void Misfits::Settle() {
    count_ = 0;
    next_moved_up_ = false;
    found_at_.reset();
}

FindingKind Misfits::Kind() const {
    if (repeats_) return FindingKind::kDoubled;
    if (next_moved_up_ && !found_at_) return FindingKind::kMissing;
    if (!next_moved_up_ && found_at_ == first_.index + 1) return FindingKind::kInserted;
    return found_at_ ? FindingKind::kReordered : FindingKind::kAltered;
}

Finding Misfits::First(std::optional<FindingKind> kind) const {
    Finding finding{.kind = kind.value_or(Kind()), .first = first_.index, .id = first_.id};
    switch (finding.kind) {
        case FindingKind::kMissing:
            finding.id.reset();  // of the entry that moved up
            break;
        case FindingKind::kReordered:
            finding.other = found_at_;
            break;
        case FindingKind::kAltered:
        case FindingKind::kLeafHash:
            finding.count = count_;
            break;
        default:
            break;
    }
    return finding;
}

}  // namespace rampart::audit
