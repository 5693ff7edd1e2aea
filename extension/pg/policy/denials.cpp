#include "pg/policy/denials.hpp"

#include <string>

#include "pg/boundary.hpp"
#include "pg/detectors/detectors.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "access/xlog.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::policy {
namespace {

constexpr int kMaxValue = 256;

struct Rate {
    TimestampTz second = 0;
    int noted = 0;
    long long passed_over = 0;
};
Rate rate;

bool HasRoom() {
    const TimestampTz second = GetCurrentTimestamp() / USECS_PER_SEC;
    if (second != rate.second) {
        rate.second = second;
        rate.noted = 0;
    }
    if (rate.noted < kMaxDenialsPerSecond) {
        ++rate.noted;
        return true;
    }
    ++rate.passed_over;
    return false;
}

const char* Cut(std::string_view value) {
    const int size = static_cast<int>(value.size());
    return pnstrdup(value.data(),
                    static_cast<Size>(pg_mbcliplen(value.data(), size, Min(size, kMaxValue))));
}

}  // namespace

void NoteDenial(std::string_view model, std::span<const std::string_view> request) {
    // A standby has no log of its own to write.
    if (!settings::audit_denials || RecoveryInProgress() || !HasRoom()) return;
    const long long passed_over = rate.passed_over;
    rate.passed_over = 0;
    Call([&] {
        detectors::Finding finding("policy.denied");
        finding.With("model", Cut(model)).Open("request");
        for (const std::string_view value : request) finding.Item(Cut(value));
        finding.Close();
        if (passed_over > 0) finding.With("not_recorded", psprintf("%lld", passed_over));
        finding.Send();
        return true;
    });
}

}  // namespace rampart::pg::policy
