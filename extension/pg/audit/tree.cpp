// Roots, frontiers and proofs of a class's stored tree. Arguments: (class text, front bytea, ...),
// where front is what is kept of the leaves that were pruned.
#include <string>

#include "pg/postgres.hpp"

#include "audit/proof.hpp"
#include "error.hpp"
#include "pg/audit/tiles.hpp"
#include "pg/boundary.hpp"
#include "pg/functions/arguments.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

namespace rampart::pg::audit {
namespace {

namespace core = rampart::audit;

struct TreeArguments {
    const char* log_class;
    core::Frontier front;
};

TreeArguments TreeArgument(FunctionCallInfo fcinfo) {
    const auto front = core::Frontier::Parse(types::DetoastedBytes(PG_GETARG_DATUM(1)));
    if (!front) throw Error(errc::kInvalidParameter, "not a frontier of a tree");
    return {text_to_cstring(PG_GETARG_TEXT_PP(0)), *front};
}

std::uint64_t SizeArgument(FunctionCallInfo fcinfo, int number) {
    const std::int64_t size = PG_GETARG_INT64(number);
    if (size < 0) throw Error(errc::kInvalidParameter, "a size is not negative");
    return static_cast<std::uint64_t>(size);
}

// What `make` makes of the tree; nothing where hashes are wanted that were pruned, lost or never
// there. The size is larger than any tree's: what is asked for says how far tiles are read.
template <typename Make>
auto Ask(const TreeArguments& tree, std::uint64_t size, Make&& make) {
    StoredTiles tiles(tree.log_class);
    StoredTree source(tiles, tree.front, size);
    auto result = make(source);
    tiles.Finish();
    return result;
}

Datum ProofArray(const core::Proof& proof) {
    return Call([&] {
        auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (proof.size() + 1)));
        for (std::size_t i = 0; i < proof.size(); ++i)
            values[i] = functions::Text(AsText(proof[i]));
        return PointerGetDatum(construct_array(values, static_cast<int>(proof.size()), BYTEAOID, -1,
                                               false, TYPALIGN_INT));
    });
}

Datum BytesOrNull(FunctionCallInfo fcinfo, const std::optional<core::Hash>& hash) {
    if (!hash) PG_RETURN_NULL();
    return functions::Text(AsText(*hash));
}

// (class, front, size) -> bytea
Datum Root(FunctionCallInfo fcinfo) {
    const TreeArguments tree = TreeArgument(fcinfo);
    const std::uint64_t size = SizeArgument(fcinfo, 2);
    return BytesOrNull(fcinfo,
                       Ask(tree, size, [&](auto& source) { return core::RootOf(source, size); }));
}

// (class, front, size) -> bytea
Datum FrontierAt(FunctionCallInfo fcinfo) {
    const TreeArguments tree = TreeArgument(fcinfo);
    const std::uint64_t size = SizeArgument(fcinfo, 2);
    const auto frontier =
        Ask(tree, size, [&](auto& source) { return core::FrontierOf(source, size); });
    if (!frontier) PG_RETURN_NULL();
    const std::vector<std::uint8_t> bytes = frontier->Serialise();
    return Call([&] { return functions::Text(AsText(bytes)); });
}

// (class, front, index, size) -> bytea[]
Datum InclusionPath(FunctionCallInfo fcinfo) {
    const TreeArguments tree = TreeArgument(fcinfo);
    const std::uint64_t index = SizeArgument(fcinfo, 2);
    const std::uint64_t size = SizeArgument(fcinfo, 3);
    const auto proof =
        Ask(tree, size, [&](auto& source) { return core::ProveInclusion(source, index, size); });
    if (!proof) PG_RETURN_NULL();
    return ProofArray(*proof);
}

// (class, front, old_size, new_size) -> bytea[]
Datum ConsistencyPath(FunctionCallInfo fcinfo) {
    const TreeArguments tree = TreeArgument(fcinfo);
    const std::uint64_t old_size = SizeArgument(fcinfo, 2);
    const std::uint64_t new_size = SizeArgument(fcinfo, 3);
    const auto proof = Ask(tree, new_size, [&](auto& source) {
        return core::ProveConsistency(source, old_size, new_size);
    });
    if (!proof) PG_RETURN_NULL();
    return ProofArray(*proof);
}

}  // namespace
}  // namespace rampart::pg::audit

namespace audit = rampart::pg::audit;

RAMPART_FUNCTION(rampart_tree_root) { return audit::Root(fcinfo); }
RAMPART_FUNCTION(rampart_tree_frontier) { return audit::FrontierAt(fcinfo); }
RAMPART_FUNCTION(rampart_inclusion_path) { return audit::InclusionPath(fcinfo); }
RAMPART_FUNCTION(rampart_consistency_path) { return audit::ConsistencyPath(fcinfo); }
