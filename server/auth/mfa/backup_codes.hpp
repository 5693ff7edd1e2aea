// Backup codes: XXXX-XXXX-XXXX, of an alphabet without characters that look alike.
//
// The first group says which code it is, so that one hash is computed to judge an attempt and not
// ten. The database keeps it as a keyed index, so that whoever reads a dump has all 60 random bits
// of the hash before them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::server::mfa {

inline constexpr int kBackupCodes = 10;

// A set to be shown once: the first groups all differ.
std::vector<std::string> NewBackupCodes();

// As NewBackupCodes() writes it, from what somebody typed: lower case, without hyphens, with
// spaces. Nothing for what is no code.
std::optional<std::string> NormalBackupCode(std::string_view typed);

// REQUIRES: of NewBackupCodes() or NormalBackupCode().
inline std::string SelectorOf(const std::string& code) { return code.substr(0, 4); }

}  // namespace rampart::server::mfa
