// One line of an export: a JSON object of known members with text, a number or null, of which one,
// "payload", is an object of such members.
//
// What the tree does not vouch for must not get in: an unknown member is refused, and so is one
// that is there twice, of which another reader might see the other.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rampart::verify {

enum class Name {
    kExport,
    kOrigin,
    kCheckpoint,
    kSize,
    kFront,
    kClass,
    kIndex,
    kId,
    kAt,
    kXid,
    kLineage,
    kEvent,
    kSeverity,
    kActor,
    kOrg,
    kIp,
    kUserAgent,
    kRequestId,
    kRole,
    kSessionRole,
    kApplication,
    kClient,
    kRelation,
    kOperation,
    kPayload,
    kPayloadKey,
    kPayloadOld,
    kPayloadNew,
    kPayloadMetadata,
    kSalt,
    kErased,
    kLeaf,
    kNames
};
std::string_view TextOf(Name name);

class JsonLine {
  public:
    // Forgets the line before. An empty string if the line was understood, else what is wrong.
    std::string Parse(std::string_view line);

    bool Has(Name name) const { return At(name).kind != Kind::kAbsent; }
    // Nothing for null and where it is absent. Numbers in decimal, a payload empty.
    std::optional<std::string_view> Text(Name name) const;

  private:
    class Reader;
    enum class Kind { kAbsent, kNull, kText };
    struct Member {
        Kind kind = Kind::kAbsent;
        std::string text;  // keeps its memory from line to line
    };
    const Member& At(Name name) const { return members_[static_cast<std::size_t>(name)]; }

    std::array<Member, static_cast<std::size_t>(Name::kNames)> members_;
};

}  // namespace rampart::verify
