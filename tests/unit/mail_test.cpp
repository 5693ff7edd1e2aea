// Mails of the server: addresses, what stands in headers and bodies, templates.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "crypto/base64.hpp"
#include "mail/address.hpp"
#include "mail/message.hpp"
#include "mail/templates.hpp"
#include "mail/text.hpp"

namespace rampart::server::mail {
namespace {

const std::string kLocal64(64, 'a');
// 254 bytes: 64, the sign, 189.
const std::string kDomain189 =
    std::string(63, 'b') + '.' + std::string(63, 'c') + '.' + std::string(61, 'd');

TEST(MailAddress, TakesWhatServersTake) {
    for (const std::string& address :
         {std::string("ada@example.com"), std::string("a.b+tag@sub.example.co"),
          std::string("o'brien@example.com"), std::string("root@localhost"),
          std::string("x@xn--mnchen-3ya.example"), kLocal64 + '@' + kDomain189}) {
        EXPECT_TRUE(IsAddress(address)) << address;
    }
}

TEST(MailAddress, RefusesWhatCouldEndACommandOrIsNone) {
    for (const std::string& address : {std::string(),
                                       std::string("ada"),
                                       std::string("@example.com"),
                                       std::string("ada@"),
                                       std::string("ada@example.com\r\nRCPT TO:<eve@example.com>"),
                                       std::string("ada@example.com\n"),
                                       std::string("ada@exa\rmple.com"),
                                       std::string("ada@example.com\0", 16),
                                       std::string("a\x7f@example.com"),
                                       std::string("ada@example.com> SIZE=1"),
                                       std::string("<ada@example.com>"),
                                       std::string("ada@example.com,eve@example.com"),
                                       std::string("ada@example.com eve@example.com"),
                                       std::string("\"a b\"@example.com"),
                                       std::string("ada@[127.0.0.1]"),
                                       std::string("ada@-x.example"),
                                       std::string("ada@x-.example"),
                                       std::string("ada@example..com"),
                                       std::string("ada@example.com."),
                                       std::string("a@b@c"),
                                       std::string("\xc3\xa4@example.com"),
                                       std::string("ada@m\xc3\xbcnchen.example"),
                                       kLocal64 + "a@example.com",
                                       kLocal64 + '@' + kDomain189 + 'd'}) {
        EXPECT_FALSE(IsAddress(address)) << address;
    }
}

TEST(MailAddress, ReadsMailboxes) {
    const auto plain = ParseMailbox("no-reply@example.com");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->name, "");
    EXPECT_EQ(plain->domain(), "example.com");
    for (const char* text :
         {"J\xc3\xbcrgen <a@example.com>", "\"J\xc3\xbcrgen\" <a@example.com>"}) {
        const auto named = ParseMailbox(text);
        ASSERT_TRUE(named) << text;
        EXPECT_EQ(named->name, "J\xc3\xbcrgen");
        EXPECT_EQ(named->address, "a@example.com");
    }
    for (const char* text : {"", "x", "Name", "Name <a@example.com", "Name <>",
                             "N\r\nBcc: e@x <a@example.com>", "N\xff <a@example.com>"}) {
        EXPECT_FALSE(ParseMailbox(text)) << text;
    }
}

TEST(MailText, EncodesHeadersThatNeedIt) {
    EXPECT_EQ(HeaderText("Your code"), "Your code");
    EXPECT_EQ(HeaderText("\xc3\xa4"), "=?utf-8?B?w6Q=?=");
    EXPECT_EQ(HeaderText("=?utf-8?B?w6Q=?="), "=?utf-8?B?PT91dGYtOD9CP3c2UT0/PQ==?=");
    EXPECT_EQ(HeaderPhrase("A \"B\" \\"), "\"A \\\"B\\\" \\\\\"");
}

TEST(MailText, FoldsLongHeadersBetweenCharacters) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "\xf0\x9f\x94\x92";
    const std::string header = HeaderText(text);
    constexpr std::size_t kFrame = 10;  // =?utf-8?B?
    for (std::size_t begin = 0; begin < header.size();) {
        const std::size_t end = std::min(header.find("\r\n ", begin), header.size());
        EXPECT_LE(end - begin, 75U);
        const auto word = FromBase64(header.substr(begin + kFrame, end - begin - kFrame - 2));
        ASSERT_TRUE(word);
        EXPECT_TRUE(IsOneLine(AsText(*word)));
        begin = end + 3;
    }
}

TEST(MailText, WritesQuotedPrintable) {
    EXPECT_EQ(QuotedPrintable("a=b \xc3\xa4\t\nx \n"), "a=3Db =C3=A4=09\r\nx=20\r\n");
    const std::string encoded = QuotedPrintable(std::string(200, '='));
    for (std::size_t begin = 0; begin < encoded.size();) {
        const std::size_t end = std::min(encoded.find("\r\n", begin), encoded.size());
        EXPECT_LE(end - begin, 76U);
        begin = end + 2;
    }
}

Message Sample() {
    return {
        .from = {"Rampart", "no-reply@example.com"},
        .to = "ada@example.com",
        .subject = "Hello",
        .body = "One\nTwo\n",
        .id = "0190a5b0-0000-7000-8000-000000000001",
        .date = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + std::chrono::hours(7)};
}

TEST(MailMessage, IsAsTheStandardHasIt) {
    EXPECT_EQ(Compose(Sample()),
              "Date: Thu, 29 Feb 2024 07:00:00 +0000\r\n"
              "From: \"Rampart\"\r\n <no-reply@example.com>\r\n"
              "To: ada@example.com\r\n"
              "Subject: Hello\r\n"
              "Message-ID: <0190a5b0-0000-7000-8000-000000000001@example.com>\r\n"
              "Auto-Submitted: auto-generated\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: 7bit\r\n"
              "\r\n"
              "One\r\nTwo\r\n");
}

TEST(MailMessage, EncodesABodyBeyondAsciiOrOfLongLines) {
    for (const std::string& body : {std::string("\xc3\xa4\n"), std::string(1000, 'x')}) {
        Message message = Sample();
        message.body = body;
        const std::string text = Compose(message);
        EXPECT_NE(text.find("quoted-printable"), std::string::npos);
        EXPECT_TRUE(std::ranges::all_of(
            text, [](char c) { return c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7f); }));
    }
}

TEST(MailMessage, LetsNothingBreakOut) {
    const auto refuses = [](auto&& change) {
        Message message = Sample();
        change(message);
        EXPECT_THROW((void)Compose(message), std::invalid_argument);
    };
    refuses([](Message& m) { m.subject = "Hello\r\nBcc: eve@example.com"; });
    refuses([](Message& m) { m.subject = "Hello\nX: y"; });
    refuses([](Message& m) { m.subject = ""; });
    refuses([](Message& m) { m.to = "ada@example.com\r\nBcc: eve@example.com"; });
    refuses([](Message& m) { m.from.name = "R\r\nBcc: eve@example.com"; });
    refuses([](Message& m) { m.from.address = "R"; });
    refuses([](Message& m) { m.id = "x>\r\nBcc: eve@example.com"; });
    refuses([](Message& m) { m.body = "a\r\n.\r\nMAIL FROM:<eve@example.com>"; });
    refuses([](Message& m) { m.body = std::string("a\0b", 3); });
    refuses([](Message& m) { m.body = "\xff"; });
}

const Values kValues = {{"link", "https://app.example.com/verify?token=abc"},
                        {"minutes", "30"},
                        {"product", "Rampart"},
                        {"organisation", "Z\xc3\xbcrich"},
                        {"ip", "192.0.2.1"},
                        {"what", "An authenticator app was added"},
                        {"code", "123456"}};

TEST(MailTemplates, AllRender) {
    const Templates templates;
    for (const char* name :
         {"verify-email", "already-registered", "password-reset", "password-changed", "invitation",
          "approval-requested", "approved", "account-locked", "new-login", "mfa-code",
          "mfa-recovery", "mfa-changed", "mfa-locked", "verify-recovery-email"}) {
        const RenderedText text = templates.Render(name, kValues);
        EXPECT_EQ((text.subject + text.body).find("{{"), std::string::npos) << name;
        EXPECT_NE(text.subject.find("Rampart"), std::string::npos) << name;
    }
    const RenderedText sms = templates.Render("sms-code", kValues);
    EXPECT_EQ(sms.subject, "");
    EXPECT_EQ(sms.body.find("123456 is your code for Rampart. It works once, for 30 minutes."), 0U);
    EXPECT_LE(sms.body.size(), 160U);  // one SMS
}

TEST(MailText, SaysTimesInTheLargestUnit) {
    for (const auto& [minutes, words] : {std::pair("1", "1 minute"),
                                         {"10", "10 minutes"},
                                         {"60", "1 hour"},
                                         {"90", "90 minutes"},
                                         {"1440", "24 hours"},
                                         {"2880", "2 days"},
                                         {"4320", "3 days"},
                                         {"2900", "2900 minutes"},
                                         {"soon", "soon"}}) {
        EXPECT_EQ(TimeInWords(minutes), words);
    }
}

TEST(MailTemplates, RefuseWhatIsMissing) {
    const Templates templates;
    Values values = kValues;
    values.erase("link");
    EXPECT_THROW((void)templates.Render("verify-email", values), std::invalid_argument);
    EXPECT_THROW((void)templates.Render("no-such", kValues), std::invalid_argument);
}

TEST(MailTemplates, KeepValuesToOneLineAndLinksToLinks) {
    const Templates templates;
    Values values = kValues;
    values["organisation"] =
        "Evil\r\nBcc: eve@example.com\n\nBuy!\xff\xe2\x80\xae" + std::string(500, 'x');
    const RenderedText text = templates.Render("invitation", values);
    EXPECT_TRUE(IsOneLine(text.subject));
    EXPECT_NE(text.subject.find("Evil  Bcc: eve@example.com  Buy!  x"), std::string::npos);
    EXPECT_LT(text.subject.size(), 200U);
    for (const char* link : {"", "javascript:alert(1)", "https://x.example/ y",
                             "https://x.example/\r\nBcc: e@x", "ftp://x.example"}) {
        values["link"] = link;
        EXPECT_THROW((void)templates.Render("invitation", values), std::invalid_argument) << link;
    }
}

class MailTemplateFiles : public testing::Test {
  protected:
    MailTemplateFiles() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "rampart-mail-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
    }
    ~MailTemplateFiles() override { std::filesystem::remove_all(directory_); }

    void Write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ / name, std::ios::binary) << text;
    }
    std::vector<std::string> Problems() const {
        try {
            const Templates templates(directory_);
        } catch (const TemplateError& error) {
            return error.problems();
        }
        return {};
    }

    std::filesystem::path directory_;
};

TEST_F(MailTemplateFiles, ReplaceThoseOfTheProduct) {
    Write("verify-email.txt", "Subject: Gr\xc3\xbc\xc3\x9f Gott\r\n\r\n{{link}}\r\n");
    const RenderedText text = Templates(directory_).Render("verify-email", kValues);
    EXPECT_EQ(text.subject, "Gr\xc3\xbc\xc3\x9f Gott");
    EXPECT_EQ(text.body, "https://app.example.com/verify?token=abc\n");
}

TEST_F(MailTemplateFiles, AreCheckedAllAtOnce) {
    Write("verify-email.txt", "Subject: x\n\n{{lnik}}\n");
    Write("mfa-code.txt", "Subject: x\n{{code}}\n");
    Write("password-reset.txt", "Subject: x\n\n{{link\n");
    Write("approved.txt", "Subject: x\n\n\x01\n");
    Write("approvd.txt", "Subject: x\n\ny\n");
    Write("mfa-changed.txt", "Subject: x\n\n{{what}}" + std::string(70'000, ' '));
    Write("sms-code.txt", "no code, for {{time}}");
    Write("notes.md", "not a template");
    const std::vector<std::string> problems = Problems();
    EXPECT_EQ(problems.size(), 8U) << testing::PrintToString(problems);  // the first has two
}

TEST_F(MailTemplateFiles, HaveToBeThere) {
    directory_ /= "none";
    EXPECT_EQ(Problems().size(), 1U);
}

}  // namespace
}  // namespace rampart::server::mail
