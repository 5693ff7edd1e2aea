// Second factors without a server: published codes, the window, codes of paper, QR codes.
#include <gtest/gtest.h>

#include <set>

#include "auth/mfa/backup_codes.hpp"
#include "auth/mfa/qr_code.hpp"
#include "auth/mfa/totp.hpp"
#include "error.hpp"

namespace rampart::server::mfa {
namespace {

const ByteView kRfcSecret = AsBytes("12345678901234567890");

TEST(Totp, HasTheCodesOfRfc6238) {
    // Appendix B has eight digits; six are their remainder.
    const std::pair<std::int64_t, const char*> vectors[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (const auto& [time, code] : vectors) {
        const auto match = MatchTotp(kRfcSecret, code, time);
        ASSERT_TRUE(match) << time;
        EXPECT_EQ(match->step, time / kTotpPeriod);
        EXPECT_EQ(match->drift, 0);
    }
}

TEST(Totp, TakesOneStepMoreOnEachSide) {
    const std::int64_t now = 1111111111;  // step 37037037
    EXPECT_EQ(MatchTotp(kRfcSecret, "050471", now + 30)->drift, -1);
    EXPECT_EQ(MatchTotp(kRfcSecret, "050471", now - 30)->drift, 1);
    EXPECT_EQ(MatchTotp(kRfcSecret, "050471", now + 30)->step, 37037037);
    EXPECT_FALSE(MatchTotp(kRfcSecret, "050471", now + 60));
    EXPECT_FALSE(MatchTotp(kRfcSecret, "050471", now - 60));
}

TEST(Totp, RefusesWhatIsNoCode) {
    for (const char* code :
         {"", "28708", "2870820", "94287082", " 287082", "28708a", "+87082", "-87082",
          "\xd9\xa2"
          "8708"}) {
        EXPECT_FALSE(MatchTotp(kRfcSecret, code, 59)) << code;
    }
    EXPECT_FALSE(MatchTotp(kRfcSecret, std::string_view("28708\0", 6), 59));
    EXPECT_FALSE(MatchTotp({}, "287082", 59));
}

TEST(Totp, WritesSecretsForPeopleAndApps) {
    // RFC 4648, 10, without padding.
    EXPECT_EQ(Base32(AsBytes("")), "");
    EXPECT_EQ(Base32(AsBytes("f")), "MY");
    EXPECT_EQ(Base32(AsBytes("foob")), "MZXW6YQ");
    EXPECT_EQ(Base32(AsBytes("foobar")), "MZXW6YTBOI");
    EXPECT_EQ(TotpUri(kRfcSecret, "Acme & Co", "ada@example.com"),
              "otpauth://totp/Acme%20%26%20Co:ada%40example.com?"
              "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20%26%20Co"
              "&algorithm=SHA1&digits=6&period=30");
    EXPECT_EQ(NewTotpSecret().size(), 20U);
    EXPECT_NE(NewTotpSecret(), NewTotpSecret());
}

TEST(BackupCodes, AreTenWithDifferentBeginnings) {
    const auto codes = NewBackupCodes();
    std::set<std::string> selectors;
    for (const std::string& code : codes) {
        EXPECT_EQ(code.size(), 14U);
        EXPECT_EQ(NormalBackupCode(code), code);
        selectors.insert(SelectorOf(code));
    }
    EXPECT_EQ(selectors.size(), 10U);
    EXPECT_NE(codes, NewBackupCodes());
}

TEST(BackupCodes, AreTakenAsPeopleTypeThem) {
    EXPECT_EQ(NormalBackupCode("abcd-efgh-jk23"), "ABCD-EFGH-JK23");
    EXPECT_EQ(NormalBackupCode(" ABCDEFGH JK23 "), "ABCD-EFGH-JK23");
    for (const char* typed : {"", "ABCD-EFGH-JK2", "ABCD-EFGH-JK234", "ABCD-EFGH-JK2I",
                              "ABCD-EFGH-JK20", "ABCD_EFGH_JK23", "------------"}) {
        EXPECT_FALSE(NormalBackupCode(typed)) << typed;
    }
}

TEST(QrCode, IsAnImageOfBothKinds) {
    const std::string uri = TotpUri(kRfcSecret, "Rampart", "ada@example.com");
    const std::string svg = QrSvg(uri);
    EXPECT_TRUE(svg.starts_with("<svg xmlns="));
    EXPECT_TRUE(svg.ends_with("</svg>"));
    EXPECT_LT(svg.size(), 20'000U);
    const auto png = QrPng(uri);
    EXPECT_EQ(AsText(png).substr(1, 3), "PNG");
    EXPECT_LT(png.size(), 8'000U);
    EXPECT_THROW(QrSvg(std::string(3000, 'x')), Error);
    EXPECT_THROW(QrPng(""), Error);
}

}  // namespace
}  // namespace rampart::server::mfa
