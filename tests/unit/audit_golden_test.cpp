// The golden files of the audit log: entries, trees, tiles and checkpoints made of fixed inputs.
//
// RAMPART_WRITE_GOLDEN=1 writes them anew, after a deliberate change of format; otherwise each must
// be what the code makes now. independent_audit.py holds the same files against docs/formats.md.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "audit/checkpoint.hpp"
#include "audit/entry.hpp"
#include "audit/tile.hpp"
#include "audit_trees.hpp"

namespace rampart::audit {
namespace {

using test::Bytes;
using test::Hex;

// Records as vectors.hpp describes them. A field whose value is NULL is left out.
class GoldenFile {
  public:
    explicit GoldenFile(const std::string& comment) { text_ << comment; }

    void Record() { text_ << "\nCount = " << ++count_ << "\n"; }
    void Field(const char* name, const std::string& value) {
        text_ << name << " =" << (value.empty() ? "" : " ") << value << "\n";
    }
    void Field(const char* name, std::uint64_t value) { Field(name, std::to_string(value)); }
    void HexField(const char* name, ByteView bytes) { Field(name, Hex(bytes)); }
    void HexField(const char* name, const EntryText& text) {
        if (text) HexField(name, AsBytes(*text));
    }

    void Compare(const std::string& name) const {
        const std::string path = std::string(RAMPART_GOLDEN_VECTORS) + "/" + name;
        if (std::getenv("RAMPART_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text_.str();
        std::ifstream file(path);
        std::ostringstream stored;
        stored << file.rdbuf();
        EXPECT_EQ(stored.str(), text_.str()) << name;
    }

  private:
    std::ostringstream text_;
    int count_ = 0;
};

constexpr struct {
    const char* name;
    EntryText Entry::*member;
} kTexts[] = {{"Event", &Entry::event},
              {"Class", &Entry::log_class},
              {"Severity", &Entry::severity},
              {"Actor", &Entry::actor},
              {"Org", &Entry::org},
              {"Ip", &Entry::ip},
              {"UserAgent", &Entry::user_agent},
              {"RequestId", &Entry::request_id},
              {"Role", &Entry::role},
              {"SessionRole", &Entry::session_role},
              {"Application", &Entry::application},
              {"Client", &Entry::client},
              {"Relation", &Entry::relation},
              {"Operation", &Entry::operation}};

constexpr struct {
    const char* name;
    EntryText Payload::*member;
} kPayloadTexts[] = {{"Key", &Payload::key},
                     {"Old", &Payload::old_values},
                     {"New", &Payload::new_values},
                     {"Metadata", &Payload::metadata}};

struct Example {
    Entry entry;
    Payload payload;
};

std::vector<Example> Examples() {
    std::vector<Example> examples(5);
    Entry& update = examples[0].entry;
    update = {.id = 1, .at = 846'763'200'000'000, .xid = 741, .lineage = 7243185551020113920};
    update.event = "data.update";
    update.log_class = "normal";
    update.severity = "low";
    update.actor = "ada@example.com";
    update.org = "acme";
    update.ip = "192.0.2.7";
    update.user_agent = "curl/8.5.0";
    update.request_id = "5f0c";
    update.role = "app";
    update.session_role = "app";
    update.application = "web";
    update.client = "10.0.0.3/32";
    update.relation = "public.users";
    update.operation = "UPDATE";
    examples[0].payload.key = R"({"id": 1})";
    examples[0].payload.old_values = R"({"name": "Ada"})";
    examples[0].payload.new_values = R"({"name": "Ada Lovelace"})";
    examples[0].payload.metadata = R"({"reason": "marriage"})";

    Entry& failure = examples[1].entry;
    failure = {.id = 2, .at = -1, .xid = 0xffffffffffffffff, .lineage = 1};
    failure.event = "auth.login_failure";
    failure.log_class = "security";
    failure.severity = "medium";
    failure.client = "2001:db8::1";

    examples[2].entry = {.id = INT64_MAX, .at = INT64_MIN, .xid = 0};
    examples[3].entry = {.id = -1, .at = 0, .xid = 1};
    examples[3].entry.actor = "";
    examples[3].payload.metadata = "";
    examples[4].entry = {.id = 3, .at = 5, .xid = 8};
    examples[4].entry.relation = "public.\"Köln\"\n";
    examples[4].payload.new_values = R"({"note": "😀"})";
    return examples;
}

TEST(AuditGolden, Entries) {
    GoldenFile file(
        "# Audit entries: fields (text in hexadecimal, NULL left out), the salt and hash of the\n"
        "# payload, the bytes of the leaf and their hash.\n");
    std::uint8_t first = 0;
    for (Example& example : Examples()) {
        file.Record();
        file.Field("Id", std::to_string(example.entry.id));
        file.Field("At", std::to_string(example.entry.at));
        file.Field("Xid", example.entry.xid);
        file.Field("Lineage", example.entry.lineage);
        for (const auto& [name, member] : kTexts) file.HexField(name, example.entry.*member);
        for (const auto& [name, member] : kPayloadTexts) {
            file.HexField(name, example.payload.*member);
        }
        std::array<std::uint8_t, kSaltSize> salt;
        for (std::uint8_t& byte : salt) byte = first++;
        example.entry.payload_hash = HashPayload(salt, example.payload);
        if (example.entry.payload_hash) {
            file.HexField("Salt", ByteView(salt));
            file.HexField("PayloadHash", ByteView(*example.entry.payload_hash));
        }
        const Bytes leaf = LeafBytes(example.entry);
        file.HexField("Leaf", ByteView(leaf));
        file.HexField("LeafHash", ByteView(LeafHash(example.entry)));
    }
    file.Compare("audit_entries.txt");
}

struct ListedTiles : TileReader, TileWriter {
    std::map<std::pair<unsigned, std::uint64_t>, Bytes> tiles;
    std::optional<Bytes> Read(const Tile& tile) override { return tiles[{tile.level, tile.index}]; }
    void Write(const Tile& tile, ByteView hashes) override {
        tiles[{tile.level, tile.index}] = {hashes.begin(), hashes.end()};
    }
};

TEST(AuditGolden, Trees) {
    GoldenFile file(
        "# Trees whose leaves are the 8-byte numbers from 0. The frontier, the path of one leaf "
        "and the\n"
        "# consistency proof from one smaller tree are hashes behind one another.\n");
    const auto leaves = test::NumberedLeaves(1000);
    test::MemorySource source(leaves);
    for (const std::uint64_t size : {0, 1, 2, 3, 5, 7, 8, 13, 64, 127, 130, 256, 257, 700, 1000}) {
        file.Record();
        file.Field("Size", size);
        file.HexField("Root", ByteView(*RootOf(source, size)));
        file.HexField("Frontier", ByteView(FrontierOf(source, size)->Serialise()));
        const std::uint64_t old_size = size * 2 / 3;
        file.Field("OldSize", old_size);
        file.HexField("OldRoot", ByteView(*RootOf(source, old_size)));
        file.HexField("Consistency", BytesOf(*ProveConsistency(source, old_size, size)));
        if (size == 0) continue;
        const std::uint64_t index = (size - 1) * 3 / 4;
        file.Field("Index", index);
        file.HexField("Inclusion", BytesOf(*ProveInclusion(source, index, size)));
    }
    file.Compare("audit_trees.txt");
}

TEST(AuditGolden, Tiles) {
    GoldenFile file(
        "# The tiles of such a tree of 1000 leaves: path, and SHA-256 of the hashes.\n");
    ListedTiles store;
    auto builder = TileBuilder::Resume(store, 0);
    for (const Hash& leaf : test::NumberedLeaves(1000)) builder->Append(leaf, store);
    builder->Flush(store);
    for (const Tile& tile : ChangedTiles(0, 1000)) {
        file.Record();
        file.Field("Path", TilePath(tile));
        file.HexField("Sha256", ByteView(Sha256(store.tiles[{tile.level, tile.index}])));
    }
    file.Compare("audit_tiles.txt");
}

TEST(AuditGolden, Checkpoints) {
    GoldenFile file("# Signed checkpoints, in hexadecimal, and the key that signed them.\n");
    test::MemorySource source(test::NumberedLeaves(100));
    const auto head = [&](std::uint64_t size) { return TreeHead{size, *RootOf(source, size)}; };
    const Checkpoint checkpoints[] = {
        {.origin = "example.com/orders", .security = head(0), .others = {}, .extensions = {}},
        {.origin = "example.com/orders",
         .security = head(3),
         .others = {{"normal", head(100)}},
         .extensions = {}},
        {.origin = "example.com/straße",
         .security = head(64),
         .others = {{"archive", head(0)}, {"normal", head(99)}},
         .extensions = {"incarnation 7329482394 1"}}};
    const Ed25519Key key(SecretKey(Bytes(32, 7)));
    for (const Checkpoint& checkpoint : checkpoints) {
        file.Record();
        file.Field("Seed", Hex(Bytes(32, 7)));
        file.Field("Verifier", NoteVerifier::Make(checkpoint.origin, key.public_key())->Text());
        file.Field("Origin", checkpoint.origin);
        file.Field("Security", checkpoint.security.size);
        for (const auto& [log_class, other] : checkpoint.others) {
            file.Field(log_class == "normal" ? "Normal" : "Archive", other.size);
        }
        file.HexField("Note", AsBytes(SignCheckpoint(checkpoint, key)));
    }
    file.Compare("audit_checkpoints.txt");
}

}  // namespace
}  // namespace rampart::audit
