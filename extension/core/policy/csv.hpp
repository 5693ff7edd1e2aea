// Rules as text: Casbin's CSV.
//
//   p, alice, data1, read
//   p, "r.sub.Age > 18 && r.obj in ('a', 'b')", data1, read
//   # a comment
//
// Spaces before a value are passed over, and those at the end of a line. A value in quotes keeps
// its spaces, commas and newlines; a quote in it is written twice.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rampart::policy {

class PolicySetBuilder;

// `add` is called for each rule, with its type and its values. Error RMP02 with the line for text
// that is no CSV; the line is added to errors RMP02 of `add`.
using AddRule = std::function<void(std::string_view type, std::span<const std::string_view>)>;
void ParsePolicyCsv(std::string_view text, const AddRule& add);
void AddPolicyCsv(std::string_view text, PolicySetBuilder& builder);

// One line, which reads back as the same rule.
std::string FormatRule(std::string_view type, std::span<const std::string_view> values);

}  // namespace rampart::policy
