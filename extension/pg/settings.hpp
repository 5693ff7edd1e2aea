// Settings (GUCs). docs/reference/settings.md describes them for users.
#pragma once

namespace rampart::pg::settings {

// What a value beginning with the armour prefix means on input.
enum ArmourInput {
    // Ciphertext, but only from a role that could not decrypt it: an application that reads what it
    // writes would otherwise decrypt any armour that a stranger types into a form.
    kArmourAuto,
    kArmourVerify,  // ciphertext from any role, its tag verified
    kArmourTrust,   // as it is, unverified; superusers only: restores values whose keys are gone
};

extern char* root_key_file;
extern char* root_key_command;
extern char* new_root_key_file;
extern char* new_root_key_command;
extern int root_key_timeout;  // milliseconds
extern char* default_scope;
extern bool reveal;
extern int armour_input;
extern bool allow_deterministic;
extern bool core_dumps;
extern bool quiet_errors;
extern bool plain_results;
extern int worker_naptime;  // seconds
extern double key_budget;
extern int audit_queue_size;  // kB
extern bool audit_denials;
extern int seal_interval;  // ms; 0: not by the auditor

void Define();

}  // namespace rampart::pg::settings
