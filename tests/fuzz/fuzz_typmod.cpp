// Input: the words of a type modifier, one a line; its first four bytes are also taken for a packed
// one. What parses must survive packing and printing; the rest must be refused with RMT01.
#include <vector>

#include "error.hpp"
#include "fuzz.hpp"
#include "typmod.hpp"

using namespace rampart;

namespace {

std::vector<std::string_view> Lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

template <typename Function>
void RunOrRefuse(const Function& function) {
    try {
        function();
    } catch (const Error& error) {
        fuzz::Require(error.state().view() == errc::kBadModifier.view(), "refusals are RMT01");
    }
}

void CheckWords(const std::vector<std::string_view>& words) {
    const Modifier modifier = ParseModifier(words);
    fuzz::Require(PackModifier(modifier) > 0, "a packed modifier is positive");
    fuzz::Require(UnpackModifier(PackModifier(modifier)) == modifier, "packing keeps a modifier");
    const std::string tag = ScopeTagText(modifier.scope_tag);
    const std::string_view printed[] = {tag, ModeName(modifier.mode)};
    fuzz::Require(ParseModifier(printed) == modifier, "a printed modifier reads back the same");
    fuzz::Require(words[0][0] == '#' || IsScopeName(words[0]), "only scope names are taken");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    RunOrRefuse([&] { CheckWords(Lines(AsText({data, size}))); });
    if (size < sizeof(std::uint32_t)) return 0;
    const auto packed = static_cast<std::int32_t>(LoadBigEndian<std::uint32_t>(data));
    RunOrRefuse([&] {
        fuzz::Require(PackModifier(UnpackModifier(packed)) == packed, "unpacking loses nothing");
    });
    return 0;
}
