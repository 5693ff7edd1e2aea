// Builds a class's tree anew from its leaves and holds it against signed heads.
//
// The leaves come one by one, in order if all is well; memory is constant. Two trees grow side by
// side: one of the hashes of the entries, which has to have the roots of all heads, and one of the
// stored leaf hashes, which tells where the first differs. No proof is needed for older heads: a
// head of n leaves is compared when n leaves are there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audit/known_heads.hpp"
#include "audit/misfits.hpp"

namespace rampart::audit {

struct ReplayResult {
    std::string log_class;
    std::uint64_t first = 0;      // the first leaf that was shown; a front stands for those before
    std::uint64_t end = 0;        // behind the last
    std::uint64_t removed = 0;    // leaves without their entry
    std::uint64_t proven = 0;     // so many leaves are those of a signed head
    std::string proven_by = {};   // its label
    std::size_t heads = 0;        // compared, and equal
    std::size_t unreachable = 0;  // heads that lie before `first` and cannot be compared
    std::vector<Finding> findings = {};  // by index; of each kind the first
};

class Replay {
  public:
    struct Options {
        std::uint64_t kept_from = 0;                 // entries below may have been removed
        std::optional<std::uint64_t> own_size = {};  // of the newest head that the log itself shows
    };

    // `heads` are by size. `front` are the leaves that are not shown.
    Replay(std::string log_class, std::vector<KnownHead> heads, const Frontier& front,
           Options options);

    void Take(const ShownLeaf& leaf);
    ReplayResult Finish();

  private:
    struct Gap {
        std::uint64_t first, last;
    };

    void CompareFront(const Frontier& front);
    bool TakesPlace(const ShownLeaf& leaf);
    void Append(const ShownLeaf& leaf);
    void CompareHeads();
    void Agree(const KnownHead& head);
    void ReportAmong(FindingKind kind);
    void ReportDisagreement();
    void ReportEnd();
    void Report(Finding finding);

    std::vector<KnownHead> heads_;
    Options options_;
    ReplayResult result_;
    std::size_t next_head_ = 0;
    std::uint64_t next_ = 0;
    std::optional<Frontier> computed_;  // nothing once a leaf is missing
    std::optional<Frontier> stored_;
    Misfits misfits_;
    std::optional<Gap> gap_;
    const KnownHead* disagreeing_ = nullptr;  // the first since a head agreed
    bool stored_agrees_ = false;              // with it
};

}  // namespace rampart::audit
