// A mail as it goes over the wire (RFC 5322, MIME): one text, in UTF-8.
//
// The same mail always becomes the same bytes, its Message-ID among them: where one is sent again
// after a refusal, whoever has both can tell that they are one.
#pragma once

#include <chrono>
#include <string>

#include "mail/address.hpp"

namespace rampart::server::mail {

struct Message {
    Mailbox from;
    std::string to;       // an address
    std::string subject;  // one line
    std::string body;     // lines end in line feeds
    std::string id;       // a UUID; with the domain of `from` the Message-ID
    std::chrono::system_clock::time_point date;
};

// Throws std::invalid_argument where a part would break out of its place: an address that is none,
// a subject of more than one line, a body with control characters. The text of the exception names
// the part and never quotes it.
std::string Compose(const Message& message);

}  // namespace rampart::server::mail
