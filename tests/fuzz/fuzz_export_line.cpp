// Input: lines of an export of the audit log. None may harm the parser, and what a line says does
// not depend on the lines before it.
#include "audit/checkpoint.hpp"
#include "export_line.hpp"
#include "fuzz.hpp"
#include "text.hpp"

using namespace rampart;
using namespace rampart::verify;

namespace {

std::optional<ExportLine> Parse(ExportLineParser& parser, std::string_view line) {
    try {
        return parser.Parse(line);
    } catch (const InputError&) {
        return std::nullopt;
    }
}

bool Same(const LeafLine& a, const LeafLine& b) {
    return a.log_class == b.log_class && a.erased == b.erased && a.leaf.index == b.leaf.index &&
           a.leaf.id == b.leaf.id && a.leaf.computed == b.leaf.computed &&
           a.leaf.stored == b.leaf.stored;
}

void CheckLeaf(const LeafLine& line, const LeafLine& again) {
    fuzz::Require(Same(line, again), "lines do not depend on each other");
    fuzz::Require(line.leaf.index < audit::kMaxTreeSize, "there is a tree with this leaf");
    fuzz::Require(line.leaf.id || line.leaf.stored, "there is an entry or a hash of one");
    fuzz::Require(audit::IsClassName(line.log_class), "classes can be printed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = AsText({data, size});
    ExportLineParser used;
    while (!input.empty()) {
        const std::size_t end = std::min(input.find('\n'), input.size());
        const std::string_view text = input.substr(0, end);
        input.remove_prefix(std::min(end + 1, input.size()));
        ExportLineParser fresh;
        const auto line = Parse(used, text);
        const auto again = Parse(fresh, text);
        fuzz::Require(line.has_value() == again.has_value(), "lines do not depend on each other");
        if (!line) continue;
        fuzz::Require(line->index() == again->index(), "lines do not depend on each other");
        if (const auto* leaf = std::get_if<LeafLine>(&*line)) {
            CheckLeaf(*leaf, std::get<LeafLine>(*again));
        } else if (const auto* front = std::get_if<FrontLine>(&*line)) {
            fuzz::Require(front->front == std::get<FrontLine>(*again).front, "fronts are the same");
        }
    }
    return 0;
}
