// Input: a pattern, a newline, and a text. Every matching function must answer or throw Error, in
// time linear in the text.
#include <algorithm>

#include "error.hpp"
#include "fuzz.hpp"
#include "policy/pattern.hpp"

using namespace rampart;
using namespace rampart::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = AsText({data, size});
    const std::size_t newline = std::min(input.find('\n'), input.size());
    const std::string_view pattern = input.substr(0, newline);
    const std::string_view text = input.substr(std::min(newline + 1, input.size()));
    for (int i = 0; i <= static_cast<int>(Function::kGlobMatch); ++i) {
        const auto function = static_cast<Function>(i);
        const Pattern compiled(function, pattern);
        try {
            const bool matches = compiled.Matches(text);
            fuzz::Require(!compiled.IsLiteral() || matches == (text == pattern),
                          "a literal matches itself only");
            (void)compiled.Get(text, "id");
        } catch (const Error&) {
        }
    }
    return 0;
}
