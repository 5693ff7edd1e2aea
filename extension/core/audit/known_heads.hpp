// The checkpoints that a verifier believes, and what they say about each other before an entry was
// read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.hpp"
#include "audit/finding.hpp"

namespace rampart::audit {

struct KnownHead {
    TreeHead head;
    std::string label;  // of the checkpoint it stands in
};

class KnownHeads {
  public:
    // A checkpoint whose signature and origin were verified. `label` says where it was read.
    void Add(Checkpoint checkpoint, std::string label);

    bool empty() const { return checkpoints_.empty(); }
    std::size_t size() const { return checkpoints_.size(); }

    // The heads of a class by size, each size and root once.
    std::vector<KnownHead> Of(std::string_view log_class) const;

    // The classes of which a checkpoint has entries, by name.
    std::vector<std::string> Classes() const;

    // A log only grows, and in all its classes: of two of its checkpoints, one has no fewer entries
    // of any class than the other, and equal sizes have equal roots. Checkpoints that break this
    // show that the key signed for more than one history.
    std::vector<Finding> Contradictions() const;

  private:
    struct Labelled {
        Checkpoint checkpoint;
        std::string label;
    };
    std::vector<Labelled> checkpoints_;
};

}  // namespace rampart::audit
