// Checkpoints: what a log says it is at a moment, signed (C2SP tlog-checkpoint,
// c2sp.org/tlog-checkpoint). The text of the note:
//
//   example.com/orders                                    origin
//   20852163                                              size of the log of class security
//   CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=          its root
//   rampart/normal 7 3bibjOQJNWSpwHWc9MJfMxhEHJN5OMuZF+IBHZUkS0Y=   another class, size and root
//   anything else                                         opaque to this file
//
// There is a tree for each retention class and one checkpoint for all, so that none can be rolled
// back alone. The first tree is that of class security, because a witness of the C2SP network knows
// and checks the first only: it signs the lines below it without looking.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/note.hpp"
#include "audit/proof.hpp"

namespace rampart::audit {

inline constexpr std::string_view kSecurityClass = "security";

struct Checkpoint {
    std::string origin;                                   // a line, not empty
    TreeHead security;                                    // of the class security
    std::map<std::string, TreeHead, std::less<>> others;  // by class
    std::vector<std::string> extensions;  // lines, none of which begins with "rampart/"

    // The head of a class; nullptr where the checkpoint has none.
    const TreeHead* Find(std::string_view log_class) const;
    bool operator==(const Checkpoint&) const = default;
};

// [a-z][a-z0-9_]*, at most 63 characters.
bool IsClassName(std::string_view name);

// The text to be signed: classes by name, in the order of bytes, then the extensions. Error 22023
// for a checkpoint that ParseCheckpoint would refuse.
std::string FormatCheckpoint(const Checkpoint& checkpoint);

// Refuses what FormatCheckpoint does not write: numbers with leading zeros or above kMaxTreeSize,
// roots of another length, empty lines, a class twice, out of order or named security.
std::optional<Checkpoint> ParseCheckpoint(std::string_view text);

// A checkpoint as a note signed under its origin, which is the name of the log's key.
std::string SignCheckpoint(const Checkpoint& checkpoint, const Ed25519Key& key);

// Reads a note and believes it: a trusted key signed it (VerifyNote), its origin is `origin`.
std::optional<Checkpoint> OpenCheckpoint(std::string_view note, std::string_view origin,
                                         std::span<const NoteVerifier> trusted);

}  // namespace rampart::audit
