#include "mail/message.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "mail/text.hpp"

namespace rampart::server::mail {
namespace {

constexpr std::string_view kLineBreak = "\r\n";

bool IsUuid(std::string_view id) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(id, kForm, [](char c, char form) {
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        return form == 'x' ? digit : c == form;
    });
}

void Require(bool good, const char* part) {
    if (!good) throw std::invalid_argument(std::string("mail: the ") + part + " is malformed");
}

// In UTC and in English, whatever the locale.
std::string Date(std::chrono::system_clock::time_point time) {
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    namespace chrono = std::chrono;
    const auto day = chrono::floor<chrono::days>(time);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(time - day));
    char text[64];
    (void)std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000",
                        kDays[chrono::weekday(day).c_encoding()], unsigned{date.day()},
                        kMonths[unsigned{date.month()} - 1], int{date.year()},
                        static_cast<int>(clock.hours().count()),
                        static_cast<int>(clock.minutes().count()),
                        static_cast<int>(clock.seconds().count()));
    return text;
}

std::string From(const Mailbox& from) {
    if (from.name.empty()) return from.address;
    return HeaderPhrase(from.name) + "\r\n <" + from.address + '>';
}

std::string WithLineBreaks(std::string_view body) {
    std::string out;
    for (const char c : body) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

}  // namespace

std::string Compose(const Message& message) {
    Require(IsAddress(message.from.address) && IsOneLine(message.from.name), "sender");
    Require(IsAddress(message.to), "recipient");
    Require(!message.subject.empty() && IsOneLine(message.subject), "subject");
    Require(IsPlainText(message.body), "text");
    Require(IsUuid(message.id), "id");

    const bool seven_bit = IsSevenBit(message.body);
    std::string out;
    const auto header = [&out](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append(kLineBreak);
    };
    header("Date", Date(message.date));
    header("From", From(message.from));
    header("To", message.to);
    header("Subject", HeaderText(message.subject));
    header("Message-ID", '<' + message.id + '@' + std::string(message.from.domain()) + '>');
    header("Auto-Submitted", "auto-generated");
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    header("Content-Transfer-Encoding", seven_bit ? "7bit" : "quoted-printable");
    out += kLineBreak;
    out += seven_bit ? WithLineBreaks(message.body) : QuotedPrintable(message.body);
    if (!out.ends_with(kLineBreak)) out += kLineBreak;
    return out;
}

}  // namespace rampart::server::mail
