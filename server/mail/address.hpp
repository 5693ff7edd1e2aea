// Addresses of mail: what may stand in an SMTP command and in a header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rampart::server::mail {

// The longest address that fits into a path of SMTP (RFC 5321, 4.5.3.1.3).
inline constexpr std::size_t kMaxAddress = 254;

// True for local@domain in ASCII, of at most 254 bytes: the local part of the characters that need
// no quotes, the domain of host name labels. Quoted local parts, address literals, comments and
// UTF-8 (RFC 6531) are refused; a domain beyond ASCII is written as DNS has it (xn--...). No white
// space, control character, comma or angle bracket passes, so that an address can neither end a
// command nor begin another.
bool IsAddress(std::string_view address);

// Whom mail is from: an address, and a name to show with it.
struct Mailbox {
    std::string name;  // UTF-8, may be empty
    std::string address;

    std::string_view domain() const;
};

// Reads `Name <local@domain>`, `"Name" <local@domain>` or `local@domain`. Nothing if it is none of
// these, or if the name has control characters or is not UTF-8.
std::optional<Mailbox> ParseMailbox(std::string_view text);

}  // namespace rampart::server::mail
