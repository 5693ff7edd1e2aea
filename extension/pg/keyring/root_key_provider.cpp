#include "pg/keyring/root_key_provider.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "ciphertext.hpp"
#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/keyring/root_key_source.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::keyring {
namespace {

struct Settings {
    const char* file_name;
    char** file;
    const char* command_name;
    char** command;
};
constexpr Settings kSettings[] = {
    {"rampart.root_key_file", &settings::root_key_file, "rampart.root_key_command",
     &settings::root_key_command},
    {"rampart.new_root_key_file", &settings::new_root_key_file, "rampart.new_root_key_command",
     &settings::new_root_key_command},
};

const Settings& Of(Provider provider) { return kSettings[static_cast<int>(provider)]; }
bool IsSet(const char* setting) { return setting != nullptr && setting[0] != '\0'; }

// The last one used in front. More than two are needed only while a database has keys under several
// root keys; a provider that gives another key each time must not fill the locked heap.
constinit std::array<std::unique_ptr<RootKey>, 8> held;

const RootKey* FindHeld(std::uint64_t fingerprint) {
    const auto found = std::find_if(held.begin(), held.end(), [&](const auto& key) {
        return key && key->fingerprint() == fingerprint;
    });
    if (found == held.end()) return nullptr;
    std::rotate(held.begin(), found, found + 1);
    return held.front().get();
}

const RootKey& Hold(RootKey key) {
    if (const RootKey* known = FindHeld(key.fingerprint())) return *known;
    std::rotate(held.begin(), held.end() - 1, held.end());
    held.front() = std::make_unique<RootKey>(std::move(key));
    return *held.front();
}

RootKey Ask(Provider provider) {
    InitSecureHeap();
    // Round keys of OpenSSL's contexts live in the ordinary heap: keep all of it out of core files.
    if (!settings::core_dumps) prctl(PR_SET_DUMPABLE, 0);
    const Settings& from = Of(provider);
    if (IsSet(*from.file)) return ReadRootKeyFile(*from.file, from.file_name);
    if (IsSet(*from.command)) {
        return RunRootKeyCommand(*from.command, from.command_name,
                                 std::chrono::milliseconds(settings::root_key_timeout));
    }
    ThrowNoRootKey(std::string("Neither ") + from.file_name + " nor " + from.command_name +
                   " is set.");
}

struct Outcome {
    std::uint64_t fingerprint = 0;
    std::optional<Error> failure;
};

Outcome Try(Provider provider) {
    Outcome outcome;
    try {
        outcome.fingerprint = AskProvider(provider).fingerprint();
    } catch (const Error& error) {
        outcome.failure = error;
    }
    return outcome;
}

std::string Describe(const Outcome& outcome) {
    return outcome.failure ? outcome.failure->detail()
                           : "Its fingerprint: " + KeyIdText(outcome.fingerprint) + ".";
}

const RootKey& AskFor(std::uint64_t fingerprint) {
    const Outcome current = Try(Provider::kCurrent);
    if (const RootKey* key = FindHeld(fingerprint)) return *key;
    std::string beside;
    if (IsSet(Provider::kNew)) {
        const Outcome next = Try(Provider::kNew);
        if (const RootKey* key = FindHeld(fingerprint)) return *key;
        beside = " There is a new one. " + Describe(next);
    }
    if (current.failure) throw Error(*current.failure);
    throw Error(errc::kWrongRootKey, "the root key is not the one that wrapped this key",
                "Fingerprint of the root key: " + KeyIdText(current.fingerprint) +
                    "; of the one needed: " + KeyIdText(fingerprint) + "." + beside,
                "Give the server the root key that this database was written with.");
}

struct Refusal {
    std::uint64_t fingerprint;
    TimestampTz statement;
    TimestampTz until;
    Error error;
};
constexpr TimestampTz kRefusalLasts = USECS_PER_SEC;
std::optional<Refusal> refusal;

void ThrowIfJustRefused(std::uint64_t fingerprint) {
    if (!refusal || refusal->fingerprint != fingerprint) return;
    if (refusal->statement == GetCurrentStatementStartTimestamp() &&
        GetCurrentTimestamp() < refusal->until) {
        throw Error(refusal->error);
    }
}

}  // namespace

bool IsSet(Provider provider) { return IsSet(*Of(provider).file) || IsSet(*Of(provider).command); }

std::string SettingOf(Provider provider) {
    const Settings& from = Of(provider);
    return !IsSet(*from.file) && IsSet(*from.command) ? from.command_name : from.file_name;
}

const RootKey& AskProvider(Provider provider) { return Hold(Ask(provider)); }

const RootKey& RootKeyFor(std::uint64_t fingerprint) {
    if (const RootKey* key = FindHeld(fingerprint)) return *key;
    ThrowIfJustRefused(fingerprint);
    try {
        return AskFor(fingerprint);
    } catch (const Error& error) {
        refusal.emplace(Refusal{fingerprint, GetCurrentStatementStartTimestamp(),
                                GetCurrentTimestamp() + kRefusalLasts, error});
        throw;
    }
}

void PreloadRootKeys() {
    for (const Provider provider : {Provider::kCurrent, Provider::kNew}) {
        if (!IsSet(provider)) continue;
        const Outcome outcome = Try(provider);
        if (!outcome.failure) continue;
        const std::string message = "no root key: " + outcome.failure->detail();
        Warn(outcome.failure->state(), message.c_str(), outcome.failure->hint().c_str());
    }
}

}  // namespace rampart::pg::keyring
