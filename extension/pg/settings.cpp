#include "pg/postgres.hpp"

#include "pg/settings.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace rampart::pg::settings {

char* root_key_file = nullptr;
char* root_key_command = nullptr;
char* new_root_key_file = nullptr;
char* new_root_key_command = nullptr;
int root_key_timeout = 10'000;
char* default_scope = nullptr;
bool reveal = true;
int armour_input = kArmourAuto;
bool allow_deterministic = true;
bool core_dumps = false;
bool quiet_errors = true;
bool plain_results = true;
int worker_naptime = 60;
double key_budget = 4294967296.0;
int audit_queue_size = 8192;
int seal_interval = 1000;
bool audit_denials = false;

namespace {
constexpr config_enum_entry kArmourInputs[] = {{"auto", kArmourAuto, false},
                                               {"verify", kArmourVerify, false},
                                               {"trust", kArmourTrust, false},
                                               {nullptr, 0, false}};
}

void Define() {
    DefineCustomStringVariable(
        "rampart.root_key_file", "File that holds the root key.",
        "64 hexadecimal digits or 32 bytes; owned by the server's user, mode 0600 or stricter.",
        &root_key_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomStringVariable(
        "rampart.root_key_command", "Command that prints the root key.",
        "Run by the server's user through the shell where rampart.root_key_file is empty.",
        &root_key_command, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomStringVariable(
        "rampart.new_root_key_file", "File that holds the next root key.",
        "Set while the root key is being changed: rampart.rewrap_root_key().", &new_root_key_file,
        "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomStringVariable(
        "rampart.new_root_key_command", "Command that prints the next root key.",
        "Set while the root key is being changed: rampart.rewrap_root_key().",
        &new_root_key_command, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "rampart.root_key_timeout", "Time that a root key command has to answer.",
        "It is killed then, with all that it started.", &root_key_timeout, 10'000, 100, 600'000,
        PGC_SIGHUP, GUC_SUPERUSER_ONLY | GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("rampart.default_scope",
                               "Scope of encrypted columns that are declared without one.",
                               "Empty: such a declaration is refused.", &default_scope, "",
                               PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("rampart.reveal", "Shows plaintext to roles that may decrypt.",
                             "Off: encrypted columns are shown as armour to everybody.", &reveal,
                             true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("rampart.armour_input",
                             "Whether input that begins with rmp1: is taken as ciphertext.",
                             nullptr, &armour_input, kArmourAuto, kArmourInputs, PGC_USERSET, 0,
                             nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("rampart.allow_deterministic",
                             "Allows columns and values in deterministic mode.", nullptr,
                             &allow_deterministic, true, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("rampart.core_dumps", "Lets processes that hold keys dump core.",
                             nullptr, &core_dumps, false, PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr,
                             nullptr, nullptr);
    DefineCustomBoolVariable("rampart.quiet_errors",
                             "Keeps statement, detail and context of failed statements on "
                             "encrypted values out of the log.",
                             "The client still receives detail and context.", &quiet_errors, true,
                             PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("rampart.plain_results",
                             "Sends clients the plain types of what they may decrypt.",
                             "Off: results name the encrypted types, which drivers take for text.",
                             &plain_results, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "rampart.worker_naptime", "Time between two visits of the launcher to a database.",
        "A worker goes on there with rotations that a crash or a restart "
        "interrupted, and applies the policies of keys.",
        &worker_naptime, 60, 1, 86400, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomRealVariable(
        "rampart.key_budget", "Values that a data key may encrypt in randomised mode.",
        "NIST SP 800-38D allows 2^32 under random IVs.", &key_budget, 4294967296.0, 4096.0,
        4294967296.0, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    // In milliseconds, without a unit of its own: SQL reads it as a number.
    DefineCustomBoolVariable("rampart.audit_denials",
                             "Records decisions of access policies that were no.",
                             "As events policy.denied, a hundred a second and session at most.",
                             &audit_denials, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "rampart.seal_interval", "Milliseconds between two sealings of the audit log.",
        "By the auditor of each database, which then evaluates alert rules and sees to retention. "
        "0: "
        "none of this is done unless it is called.",
        &seal_interval, 1000, 0, 3600000, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    // It is memory of the postmaster's; where that did not load the library there is none.
    DefineCustomIntVariable(
        "rampart.audit_queue_size", "Shared memory for security events on their way to the log.",
        "Events that find no room are counted, and the log says how many were lost.",
        &audit_queue_size, 8192, 256, 1048576,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, GUC_UNIT_KB,
        nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("rampart");
}

}  // namespace rampart::pg::settings
