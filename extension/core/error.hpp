// Errors of Rampart: every SQLSTATE of class RM in one place.
//
// Core throws Error for what a caller did not expect; outcomes that are part of the contract (an
// authentication tag that does not match, a byte string that does not parse) are return values.
// Codes are never reused. docs/reference/errors.md lists them for users; a test holds the two
// together.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace rampart {

struct SqlState {
    char code[6];
    constexpr std::string_view view() const { return {code, 5}; }
};

namespace errc {
// Keyring: scopes, keys, root key.
inline constexpr SqlState kUnknownScope{"RMK01"};
inline constexpr SqlState kUnknownKey{"RMK02"};
inline constexpr SqlState kKeyDisabled{"RMK03"};
inline constexpr SqlState kKeyDestroyed{"RMK04"};
inline constexpr SqlState kNoRootKey{"RMK05"};
inline constexpr SqlState kWrongRootKey{"RMK06"};
inline constexpr SqlState kNoActiveKey{"RMK07"};
inline constexpr SqlState kScopeConflict{"RMK08"};
inline constexpr SqlState kConfirmationRequired{"RMK09"};
inline constexpr SqlState kKeyExhausted{"RMK10"};
inline constexpr SqlState kMalformedKeyring{"RMK11"};
// Ciphertext: bytes and armour.
inline constexpr SqlState kMalformedCiphertext{"RMC01"};
inline constexpr SqlState kDecryptionFailed{"RMC02"};
inline constexpr SqlState kWrongKind{"RMC03"};
inline constexpr SqlState kArmourRefused{"RMC04"};
inline constexpr SqlState kValueTooLong{"RMC05"};
// Types: what an encrypted column cannot answer.
inline constexpr SqlState kBadModifier{"RMT01"};
inline constexpr SqlState kNotComparable{"RMT02"};
inline constexpr SqlState kScopesDiffer{"RMT03"};
inline constexpr SqlState kScopeUndetermined{"RMT04"};
inline constexpr SqlState kNotOrderable{"RMT05"};
inline constexpr SqlState kDeterministicRefused{"RMT06"};
inline constexpr SqlState kLoadedTooLate{"RMT07"};
inline constexpr SqlState kWouldExpose{"RMT08"};
inline constexpr SqlState kNotMapped{"RMT09"};
// Rotation: re-encryption of rows.
inline constexpr SqlState kRotationRunning{"RMR01"};
inline constexpr SqlState kUnknownRotation{"RMR02"};
inline constexpr SqlState kRotationState{"RMR03"};
inline constexpr SqlState kKeyInUse{"RMR04"};
inline constexpr SqlState kNotConvertible{"RMR05"};
// Audit: the log, and the tables it is kept of.
inline constexpr SqlState kAppendOnly{"RMA01"};
inline constexpr SqlState kNotAudited{"RMA02"};
inline constexpr SqlState kAuditedColumn{"RMA03"};
inline constexpr SqlState kNotAuditable{"RMA04"};
inline constexpr SqlState kNotSealable{"RMA05"};
inline constexpr SqlState kNotSealed{"RMA06"};
inline constexpr SqlState kHeld{"RMA07"};
inline constexpr SqlState kUnknownEvent{"RMA08"};
inline constexpr SqlState kBuiltinEvent{"RMA09"};
inline constexpr SqlState kUnknownExport{"RMA20"};
inline constexpr SqlState kUnknownAlertRule{"RMA21"};
inline constexpr SqlState kUnknownAlert{"RMA22"};
inline constexpr SqlState kAlertState{"RMA23"};
// Policy: models, rules, requests.
inline constexpr SqlState kMalformedModel{"RMP01"};
inline constexpr SqlState kMalformedPolicy{"RMP02"};
inline constexpr SqlState kEvaluationFailed{"RMP03"};
inline constexpr SqlState kPolicyLimit{"RMP04"};
inline constexpr SqlState kMalformedRequest{"RMP05"};
inline constexpr SqlState kUnknownModel{"RMP06"};
inline constexpr SqlState kPolicyTestFails{"RMP07"};
inline constexpr SqlState kTokenRefused{"RMP08"};
inline constexpr SqlState kTokenKey{"RMP09"};
// Codes of the standard that fit as they are.
inline constexpr SqlState kInsufficientPrivilege{"42501"};
inline constexpr SqlState kInvalidParameter{"22023"};
inline constexpr SqlState kUndefinedColumn{"42703"};
inline constexpr SqlState kUndefinedTable{"42P01"};
inline constexpr SqlState kDatatypeMismatch{"42804"};
inline constexpr SqlState kUnsupported{"0A000"};
inline constexpr SqlState kOutOfMemory{"53200"};
inline constexpr SqlState kLimitExceeded{"54000"};
inline constexpr SqlState kInternal{"XX000"};
}  // namespace errc

// Never carries a key, a plaintext, a password or a token.
class Error : public std::runtime_error {
  public:
    Error(SqlState state, const std::string& message, std::string detail = {},
          std::string hint = {})
        : std::runtime_error(message),
          state_(state),
          detail_(std::move(detail)),
          hint_(std::move(hint)) {}

    const SqlState& state() const { return state_; }
    const std::string& detail() const { return detail_; }
    const std::string& hint() const { return hint_; }

  private:
    SqlState state_;
    std::string detail_;
    std::string hint_;
};

}  // namespace rampart
