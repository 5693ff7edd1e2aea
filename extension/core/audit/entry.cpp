#include "audit/entry.hpp"

#include <array>

namespace rampart::audit {
namespace {

constexpr std::string_view kTag = "rampart-audit-v1";
constexpr std::uint8_t kNull = 0;
constexpr std::uint8_t kPresent = 1;

constexpr EntryText Entry::*kHeaderText[] = {
    &Entry::event,    &Entry::log_class,    &Entry::severity,    &Entry::actor,
    &Entry::org,      &Entry::ip,           &Entry::user_agent,  &Entry::request_id,
    &Entry::role,     &Entry::session_role, &Entry::application, &Entry::client,
    &Entry::relation, &Entry::operation};

constexpr EntryText Payload::*kPayloadText[] = {&Payload::key, &Payload::old_values,
                                                &Payload::new_values, &Payload::metadata};

// Writes fields to a Sha256Stream, or to anything else with its Update().
template <typename Sink>
class FieldWriter {
  public:
    explicit FieldWriter(Sink& sink) : sink_(sink) {}

    void Null() { sink_.Update({&kNull, 1}); }

    void Value(ByteView bytes) {
        std::array<std::uint8_t, 1 + sizeof(std::uint64_t)> head;
        head[0] = kPresent;
        StoreBigEndian(std::uint64_t{bytes.size()}, head.data() + 1);
        sink_.Update(head);
        sink_.Update(bytes);
    }

    void Integer(std::uint64_t value) {
        std::array<std::uint8_t, sizeof value> bytes;
        StoreBigEndian(value, bytes.data());
        Value(bytes);
    }

    void Text(const EntryText& text) {
        if (text) {
            Value(AsBytes(*text));
        } else {
            Null();
        }
    }

  private:
    Sink& sink_;
};

template <typename Sink>
void WriteLeaf(const Entry& entry, Sink& sink) {
    sink.Update(AsBytes(kTag));
    FieldWriter field(sink);
    field.Integer(static_cast<std::uint64_t>(entry.id));
    field.Integer(static_cast<std::uint64_t>(entry.at));
    field.Integer(entry.xid);
    field.Integer(entry.lineage);
    for (const auto member : kHeaderText) field.Text(entry.*member);
    if (entry.payload_hash) {
        field.Value(*entry.payload_hash);
    } else {
        field.Null();
    }
}

struct ByteSink {
    std::vector<std::uint8_t> bytes;
    void Update(ByteView part) { bytes.insert(bytes.end(), part.begin(), part.end()); }
};

}  // namespace

std::optional<Hash> HashPayload(Salt salt, const Payload& payload) {
    if (payload.Empty()) return std::nullopt;
    Sha256Stream stream;
    stream.Update(salt);
    FieldWriter field(stream);
    for (const auto member : kPayloadText) field.Text(payload.*member);
    return stream.Final();
}

std::vector<std::uint8_t> LeafBytes(const Entry& entry) {
    ByteSink sink;
    WriteLeaf(entry, sink);
    return std::move(sink.bytes);
}

Hash LeafHash(const Entry& entry) {
    Sha256Stream stream = LeafStream();
    WriteLeaf(entry, stream);
    return stream.Final();
}

}  // namespace rampart::audit
