// Decisions that were no, as security events: setting rampart.audit_denials. They survive a
// rollback. Of a session that is denied more often than kMaxDenialsPerSecond times a second, the
// rest are counted in its next event.
#pragma once

#include <span>
#include <string_view>

#include "pg/postgres.hpp"

namespace rampart::pg::policy {

inline constexpr int kMaxDenialsPerSecond = 100;

// The values are cut after some length.
void NoteDenial(std::string_view model, std::span<const std::string_view> request);

}  // namespace rampart::pg::policy
