// Text on its way into a mail: what characters it may have, and how mail writes those beyond ASCII.
#pragma once

#include <string>
#include <string_view>

namespace rampart::server::mail {

// UTF-8 without control characters (line breaks and tabs among them) and without characters that
// turn the direction of writing, which can show other words than are there.
bool IsOneLine(std::string_view text);

// As IsOneLine(), but line feeds and tabs may be there.
bool IsPlainText(std::string_view text);

// A number of minutes in the largest unit that says it whole: "10 minutes", "24 hours", "3 days".
// Days from two on. What is no number stays as it is.
std::string TimeInWords(std::string_view minutes);

// What a header may say (RFC 5322, 2.2): short printable ASCII as it is, everything else as encoded
// words (RFC 2047) of whole characters, folded.
// REQUIRES: IsOneLine(text).
std::string HeaderText(std::string_view text);

// The name before an address: in quotes where it is ASCII, else encoded words.
// REQUIRES: IsOneLine(name).
std::string HeaderPhrase(std::string_view name);

// True if a body can be sent as it is: ASCII in lines that every server takes.
bool IsSevenBit(std::string_view body);

// Quoted-printable (RFC 2045, 6.7). Line feeds of `body` become line breaks.
std::string QuotedPrintable(std::string_view body);

}  // namespace rampart::server::mail
