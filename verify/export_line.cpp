#include "export_line.hpp"

#include <algorithm>

#include "audit/checkpoint.hpp"
#include "audit/entry.hpp"
#include "text.hpp"

namespace rampart::verify {
namespace {

using audit::Entry;
using audit::Hash;
using audit::Payload;

constexpr Name kHeaderNames[] = {Name::kExport, Name::kClass, Name::kSize, Name::kOrigin,
                                 Name::kCheckpoint};
constexpr Name kFrontNames[] = {Name::kClass, Name::kFront};
constexpr Name kRemovedNames[] = {Name::kClass, Name::kIndex, Name::kLeaf};

struct TextField {
    Name name;
    audit::EntryText Entry::*member;
};
constexpr TextField kTexts[] = {{Name::kEvent, &Entry::event},
                                {Name::kClass, &Entry::log_class},
                                {Name::kSeverity, &Entry::severity},
                                {Name::kActor, &Entry::actor},
                                {Name::kOrg, &Entry::org},
                                {Name::kIp, &Entry::ip},
                                {Name::kUserAgent, &Entry::user_agent},
                                {Name::kRequestId, &Entry::request_id},
                                {Name::kRole, &Entry::role},
                                {Name::kSessionRole, &Entry::session_role},
                                {Name::kApplication, &Entry::application},
                                {Name::kClient, &Entry::client},
                                {Name::kRelation, &Entry::relation},
                                {Name::kOperation, &Entry::operation}};
// Beside those of kTexts.
constexpr Name kEntryNames[] = {Name::kIndex, Name::kId,      Name::kAt,
                                Name::kXid,   Name::kLineage, Name::kPayload,
                                Name::kSalt,  Name::kErased,  Name::kLeaf};
constexpr Name kPayloadNames[] = {Name::kPayloadKey, Name::kPayloadOld, Name::kPayloadNew,
                                  Name::kPayloadMetadata};

[[noreturn]] void Fail(Name name, std::string_view what) {
    throw InputError("member " + std::string(TextOf(name)) + " " + std::string(what));
}

void Require(const JsonLine& json, std::span<const Name> names) {
    for (const Name name : names) {
        if (!json.Has(name)) Fail(name, "is missing");
    }
}

// All members of such a line, and no other.
void RequireExactly(const JsonLine& json, std::span<const Name> names) {
    Require(json, names);
    for (int i = 0; i < static_cast<int>(Name::kNames); ++i) {
        const auto name = static_cast<Name>(i);
        if (json.Has(name) && std::ranges::find(names, name) == names.end()) {
            Fail(name, "does not belong here");
        }
    }
}

std::string_view Text(const JsonLine& json, Name name) {
    const auto text = json.Text(name);
    if (!text) Fail(name, "is null");
    return *text;
}

template <typename Integer>
Integer Number(const JsonLine& json, Name name) {
    const auto number = ParseInteger<Integer>(Text(json, name));
    if (!number) Fail(name, "is not an integer in range");
    return *number;
}

std::string ClassName(const JsonLine& json) {
    const std::string_view name = Text(json, Name::kClass);
    if (!audit::IsClassName(name)) Fail(Name::kClass, "is not the name of a class");
    return std::string(name);
}

std::uint64_t Index(const JsonLine& json) {
    const auto index = Number<std::uint64_t>(json, Name::kIndex);
    if (index >= audit::kMaxTreeSize) Fail(Name::kIndex, "is not an integer in range");
    return index;
}

std::optional<Hash> OptionalHash(const JsonLine& json, Name name) {
    const auto text = json.Text(name);
    if (!text) return std::nullopt;
    const auto hash = HashFromHex(*text);
    if (!hash) Fail(name, "is not 64 hexadecimal digits");
    return hash;
}

HeaderLine ReadHeader(const JsonLine& json) {
    RequireExactly(json, kHeaderNames);
    if (Text(json, Name::kExport) != "1") {
        throw InputError("the export is of a format that this program does not know");
    }
    HeaderLine header{.log_class = ClassName(json),
                      .size = Number<std::uint64_t>(json, Name::kSize)};
    if (header.size > audit::kMaxTreeSize) Fail(Name::kSize, "is not an integer in range");
    if (const auto origin = json.Text(Name::kOrigin)) header.origin = std::string(*origin);
    if (const auto note = json.Text(Name::kCheckpoint)) header.checkpoint = std::string(*note);
    return header;
}

FrontLine ReadFront(const JsonLine& json) {
    RequireExactly(json, kFrontNames);
    const auto bytes = FromHex(Text(json, Name::kFront));
    const auto front = bytes ? audit::Frontier::Parse(*bytes) : std::nullopt;
    if (!front) Fail(Name::kFront, "is not the hexadecimal digits of a frontier");
    return {ClassName(json), *front};
}

// Bytes that belong to an entry. Whoever changed it may have changed how many there are.
std::optional<std::vector<std::uint8_t>> OptionalBytes(const JsonLine& json, Name name) {
    const auto text = json.Text(name);
    if (!text) return std::nullopt;
    auto bytes = FromHex(*text);
    if (!bytes) Fail(name, "is not hexadecimal digits");
    return bytes;
}

// False where no hash can be made of what is there: values without their salt, or beside the hash
// of erased ones. Whoever changed an entry may have left it so.
bool SetPayloadHash(const JsonLine& json, Entry& entry) {
    if (json.Text(Name::kPayload)) Require(json, kPayloadNames);
    const Payload payload{json.Text(Name::kPayloadKey), json.Text(Name::kPayloadOld),
                          json.Text(Name::kPayloadNew), json.Text(Name::kPayloadMetadata)};
    const auto salt = OptionalBytes(json, Name::kSalt);
    if (const auto erased = OptionalBytes(json, Name::kErased)) {
        entry.payload_hash = ToHash(*erased);
        return payload.Empty() && entry.payload_hash;
    }
    if (payload.Empty()) return true;
    if (!salt || salt->size() != audit::kSaltSize) return false;
    entry.payload_hash = audit::HashPayload(audit::Salt(salt->data(), audit::kSaltSize), payload);
    return true;
}

LeafLine ReadEntry(const JsonLine& json) {
    Entry entry{.id = Number<std::int64_t>(json, Name::kId),
                .at = Number<std::int64_t>(json, Name::kAt),
                .xid = Number<std::uint64_t>(json, Name::kXid),
                .lineage = static_cast<std::uint64_t>(Number<std::int64_t>(json, Name::kLineage))};
    for (const TextField& field : kTexts) entry.*field.member = json.Text(field.name);
    LeafLine line{.log_class = ClassName(json),
                  .leaf = {.index = Index(json),
                           .id = entry.id,
                           .computed = {},
                           .stored = OptionalHash(json, Name::kLeaf)},
                  .erased = json.Text(Name::kErased).has_value()};
    if (SetPayloadHash(json, entry)) line.leaf.computed = LeafHash(entry);
    return line;
}

LeafLine ReadLeaf(const JsonLine& json) {
    if (!json.Has(Name::kId)) {
        RequireExactly(json, kRemovedNames);
        const std::string_view hash = Text(json, Name::kLeaf);
        LeafLine line{ClassName(json), {.index = Index(json)}, false};
        line.leaf.stored = HashFromHex(hash);
        if (!line.leaf.stored) Fail(Name::kLeaf, "is not 64 hexadecimal digits");
        return line;
    }
    Require(json, kEntryNames);
    for (const TextField& field : kTexts) {
        if (!json.Has(field.name)) Fail(field.name, "is missing");
    }
    for (const Name name :
         {Name::kExport, Name::kOrigin, Name::kCheckpoint, Name::kSize, Name::kFront}) {
        if (json.Has(name)) Fail(name, "does not belong here");
    }
    return ReadEntry(json);
}

}  // namespace

ExportLine ExportLineParser::Parse(std::string_view line) {
    const std::string problem = json_.Parse(line);
    if (!problem.empty()) throw InputError(problem);
    if (json_.Has(Name::kExport)) return ReadHeader(json_);
    if (json_.Has(Name::kFront)) return ReadFront(json_);
    return ReadLeaf(json_);
}

}  // namespace rampart::verify
