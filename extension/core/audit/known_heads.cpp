#include "audit/known_heads.hpp"

#include <algorithm>
#include <set>

namespace rampart::audit {
namespace {

TreeHead HeadOf(const Checkpoint& checkpoint, std::string_view log_class) {
    const TreeHead* head = checkpoint.Find(log_class);
    return head == nullptr ? TreeHead() : *head;
}

}  // namespace

void KnownHeads::Add(Checkpoint checkpoint, std::string label) {
    // Of a log that does nothing, the same checkpoint may be there thousands of times.
    checkpoint.extensions.clear();
    if (!checkpoints_.empty() && checkpoints_.back().checkpoint == checkpoint) return;
    checkpoints_.push_back({std::move(checkpoint), std::move(label)});
}

std::vector<KnownHead> KnownHeads::Of(std::string_view log_class) const {
    std::vector<KnownHead> heads;
    for (const Labelled& known : checkpoints_) {
        const TreeHead* head = known.checkpoint.Find(log_class);
        if (head != nullptr) heads.push_back({*head, known.label});
    }
    std::ranges::stable_sort(heads, {}, [](const KnownHead& known) {
        return std::pair(known.head.size, known.head.root);
    });
    const auto same = [](const KnownHead& a, const KnownHead& b) { return a.head == b.head; };
    heads.erase(std::unique(heads.begin(), heads.end(), same), heads.end());
    return heads;
}

std::vector<std::string> KnownHeads::Classes() const {
    std::set<std::string> classes;
    for (const Labelled& known : checkpoints_) {
        if (known.checkpoint.security.size > 0) classes.emplace(kSecurityClass);
        for (const auto& [log_class, head] : known.checkpoint.others) {
            if (head.size > 0) classes.insert(log_class);
        }
    }
    return {classes.begin(), classes.end()};
}

std::vector<Finding> KnownHeads::Contradictions() const {
    std::vector<Finding> findings;
    const std::vector<std::string> classes = Classes();
    std::vector<const Labelled*> ordered;
    for (const Labelled& known : checkpoints_) ordered.push_back(&known);
    const auto sizes = [&](const Labelled* known) {
        std::vector<std::uint64_t> result(1);  // of all classes together
        for (const std::string& log_class : classes) {
            result.push_back(HeadOf(known->checkpoint, log_class).size);
            result.front() += result.back();
        }
        return result;
    };
    std::ranges::stable_sort(ordered, {}, sizes);
    for (std::size_t i = 1; i < ordered.size(); ++i) {
        for (const std::string& log_class : classes) {
            const TreeHead older = HeadOf(ordered[i - 1]->checkpoint, log_class);
            const TreeHead newer = HeadOf(ordered[i]->checkpoint, log_class);
            if (older.size < newer.size || older == newer) continue;
            findings.push_back({.kind = FindingKind::kForked,
                                .log_class = log_class,
                                .other = older.size,
                                .checkpoint = ordered[i - 1]->label,
                                .other_checkpoint = ordered[i]->label});
            break;
        }
    }
    return findings;
}

}  // namespace rampart::audit
