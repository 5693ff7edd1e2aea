// Verification of a stored log, for rampart.verify_audit() of sql/rampart/76_audit_verify.sql.
//
//   verify_run    entries against the leaf hashes that are stored of them
//   verify_tree   stored hashes against signed heads: every tile is made anew of its leaves, and
//                 the root compared at each size that a checkpoint states
//
// Together: each entry is the one that was sealed, none is missing and none was added. Both read in
// order and keep little.
#include <algorithm>
#include <array>
#include <string>

#include "pg/postgres.hpp"

#include "audit/proof.hpp"
#include "error.hpp"
#include "pg/audit/run.hpp"
#include "pg/audit/tiles.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace rampart::pg::audit {
namespace {

namespace core = rampart::audit;

// A log that is all wrong is not worth a report of millions of lines.
constexpr int kMaxProblems = 100;

// The rows of the result: (problem text, index int8, id int8).
class Report {
  public:
    explicit Report(FunctionCallInfo fcinfo) : fcinfo_(fcinfo) {}

    void Add(const char* problem, std::uint64_t index, const std::int64_t* id = nullptr) {
        if (++count_ > kMaxProblems) return;
        Call([&] {
            auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo_->resultinfo);
            Datum values[] = {CStringGetTextDatum(problem),
                              Int64GetDatum(static_cast<std::int64_t>(index)),
                              id == nullptr ? Datum{0} : Int64GetDatum(*id)};
            bool nulls[] = {false, false, id == nullptr};
            tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
            return true;
        });
    }

  private:
    FunctionCallInfo fcinfo_;
    int count_ = 0;
};

// Entries in order, and one ahead.
class Entries {
  public:
    explicit Entries(const Run& run) {
        Call([&] {
            scan_.Begin(run);
            return true;
        });
        Fill();
    }
    // The one `ahead` of the next; nullptr behind the last. Valid until the next call.
    const Leaf* Peek(int ahead = 0) {
        if (position_ + ahead >= count_ && more_) Fill();
        return position_ + ahead < count_ ? &leaves_[position_ + ahead] : nullptr;
    }
    void Skip() { ++position_; }
    void End() {
        Call([&] {
            scan_.End();
            return true;
        });
    }

  private:
    void Fill() {
        const int left = count_ - position_;
        std::copy_n(leaves_.begin() + position_, left, leaves_.begin());
        Leaf* free = leaves_.data() + left;
        const int read = Call([&] { return scan_.Next(free); });
        more_ = read == RunScan::kBatch;
        count_ = left + read;
        position_ = 0;
    }

    RunScan scan_;
    std::array<Leaf, 2 * RunScan::kBatch> leaves_;
    int count_ = 0;
    int position_ = 0;
    bool more_ = true;
};

// Compares a run with its leaves. Where they part, the next one of either side tells what happened:
// the entries go on one later, or the leaves do, or both go on after one that was changed.
void CompareRun(Entries& entries, core::HashSource& leaves, std::uint64_t first, std::uint64_t end,
                Report& report) {
    const auto leaf = [&](std::uint64_t index) {
        return index < end ? leaves.Find({0, index}) : std::nullopt;
    };
    for (std::uint64_t index = first; index < end;) {
        const auto stored = leaf(index);
        const Leaf* entry = entries.Peek();
        if (!stored) {
            report.Add("leaf lost", index);
        } else if (entry == nullptr) {
            report.Add("entry missing", index);
        } else if (entry->hash != *stored) {
            const Leaf* next = entries.Peek(1);
            entry = entries.Peek();
            if (next != nullptr && next->hash == *stored) {
                report.Add("entry added", index, &entry->position.id);
                entries.Skip();
                continue;
            }
            if (leaf(index + 1) == entry->hash) {
                report.Add("entry missing", index);
                ++index;
                continue;
            }
            report.Add("entry changed", index, &entry->position.id);
        }
        if (entry != nullptr) entries.Skip();
        ++index;
    }
    for (const Leaf* entry = entries.Peek(); entry != nullptr; entry = entries.Peek()) {
        report.Add("entry added", end, &entry->position.id);
        entries.Skip();
    }
}

// (class text, first int8, entries int8, a run)
void VerifyRun(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    const char* log_class = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const auto first = static_cast<std::uint64_t>(PG_GETARG_INT64(1));
    const std::uint64_t end = first + static_cast<std::uint64_t>(PG_GETARG_INT64(2));
    const Run run = RunArgument(fcinfo, 3);
    StoredTiles tiles(log_class);
    core::TileHashes leaves(tiles, end);
    Report report(fcinfo);
    Entries entries(run);
    CompareRun(entries, leaves, first, end, report);
    entries.End();
    tiles.Finish();
}

// Takes what TileBuilder makes of the leaves, and holds it against what is stored.
class ComparingWriter : public core::TileWriter {
  public:
    ComparingWriter(StoredTiles& tiles, Report& report) : tiles_(tiles), report_(report) {}
    void Write(const core::Tile& tile, ByteView hashes) override {
        const auto stored = tiles_.Read(tile);
        if (!stored || stored->size() < hashes.size() ||
            !std::equal(hashes.begin(), hashes.end(), stored->begin())) {
            report_.Add("hashes of the tree differ", (tile.index * core::kTileWidth)
                                                         << (core::kTileHeight * tile.level));
        }
    }

  private:
    StoredTiles& tiles_;
    Report& report_;
};

struct Heads {
    Datum* sizes;
    Datum* roots;
    int count;

    std::uint64_t Size(int i) const { return static_cast<std::uint64_t>(DatumGetInt64(sizes[i])); }
    bool Is(int i, const core::Hash& root) const {
        const ByteView bytes = types::DetoastedBytes(roots[i]);
        return std::equal(bytes.begin(), bytes.end(), root.begin(), root.end());
    }
};

Heads HeadsArgument(FunctionCallInfo fcinfo, int number) {
    Heads heads{};
    bool* nulls = nullptr;
    int roots = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), INT8OID, sizeof(std::int64_t), FLOAT8PASSBYVAL,
                      TYPALIGN_DOUBLE, &heads.sizes, &nulls, &heads.count);
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(number + 1), BYTEAOID, -1, false, TYPALIGN_INT,
                      &heads.roots, &nulls, &roots);
    if (roots != heads.count) throw Error(errc::kInvalidParameter, "not as many roots as sizes");
    return heads;
}

// Grows the tree leaf by leaf from `frontier` on.
void CompareTree(core::TileBuilder& builder, core::Frontier& frontier, core::HashSource& leaves,
                 std::uint64_t size, const Heads& heads, core::TileWriter& writer, Report& report) {
    int next = 0;
    const auto compare_heads = [&] {
        for (; next < heads.count && heads.Size(next) <= frontier.size(); ++next) {
            if (heads.Size(next) == frontier.size() && !heads.Is(next, frontier.Root()))
                report.Add("root differs from a signed head", frontier.size());
        }
    };
    compare_heads();
    while (frontier.size() < size) {
        const auto leaf = leaves.Find({0, frontier.size()});
        if (!leaf) return report.Add("leaf lost", frontier.size());
        builder.Append(*leaf, writer);
        frontier.Append(*leaf);
        compare_heads();
        if (frontier.size() % core::kTileWidth == 0) {
            Call([] {
                CHECK_FOR_INTERRUPTS();
                return true;
            });
        }
    }
    builder.Flush(writer);
}

// (class text, frontier bytea, size int8, head_sizes int8[], head_roots bytea[]); the heads by size
void VerifyTree(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    const char* log_class = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const auto size = static_cast<std::uint64_t>(PG_GETARG_INT64(2));
    const Heads heads = HeadsArgument(fcinfo, 3);
    auto frontier = core::Frontier::Parse(types::DetoastedBytes(PG_GETARG_DATUM(1)));
    Report report(fcinfo);
    if (!frontier || frontier->size() > size) return report.Add("frontier malformed", 0);
    StoredTiles tiles(log_class);
    core::TileHashes leaves(tiles, size);
    auto builder = core::TileBuilder::Resume(tiles, frontier->size());
    if (builder) {
        ComparingWriter writer(tiles, report);
        CompareTree(*builder, *frontier, leaves, size, heads, writer, report);
    } else {
        report.Add("hashes of the tree lost", frontier->size());
    }
    tiles.Finish();
}

}  // namespace
}  // namespace rampart::pg::audit

RAMPART_FUNCTION(rampart_verify_run) {
    rampart::pg::audit::VerifyRun(fcinfo);
    return Datum{0};
}
RAMPART_FUNCTION(rampart_verify_tree) {
    rampart::pg::audit::VerifyTree(fcinfo);
    return Datum{0};
}
