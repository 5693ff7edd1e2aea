// Lines of exports: the golden one, and a parser that is used again. Hostile lines are in
// tests/verify/hostile.py and in the fuzz target.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "audit/entry.hpp"
#include "export_line.hpp"
#include "line_reader.hpp"
#include "text.hpp"

namespace rampart::verify {
namespace {

constexpr const char* kEntry =
    R"({"class":"normal","index":"3","id":12,"at":"-1","xid":"7","lineage":"-2","event":"e",)"
    R"("severity":"info","actor":null,"org":"","ip":"::1","user_agent":null,"request_id":null,)"
    R"("role":"r","session_role":"s","application":"","client":null,"relation":"public.t",)"
    R"("operation":"INSERT","payload":{"key":"{\"id\": 1}","old":null,"new":null,"metadata":null},)"
    R"("salt":"000102030405060708090a0b0c0d0e0f","erased":null,"leaf":null})";

LeafLine Leaf(ExportLineParser& parser, std::string_view line) {
    return std::get<LeafLine>(parser.Parse(line));
}

TEST(ExportLine, AnEntryIsHashedAsItsFieldsAre) {
    ExportLineParser parser;
    const LeafLine line = Leaf(parser, kEntry);
    EXPECT_EQ(line.log_class, "normal");
    EXPECT_EQ(line.leaf.index, 3U);
    EXPECT_EQ(line.leaf.id, 12);
    EXPECT_FALSE(line.leaf.stored);
    audit::Entry entry{.id = 12, .at = -1, .xid = 7, .lineage = ~std::uint64_t{0} - 1};
    entry.event = "e";
    entry.log_class = "normal";
    entry.severity = "info";
    entry.org = "";
    entry.ip = "::1";
    entry.role = "r";
    entry.session_role = "s";
    entry.application = "";
    entry.relation = "public.t";
    entry.operation = "INSERT";
    const auto salt = FromHex("000102030405060708090a0b0c0d0e0f").value();
    entry.payload_hash = audit::HashPayload(
        audit::Salt(salt.data(), audit::kSaltSize),
        {.key = "{\"id\": 1}", .old_values = {}, .new_values = {}, .metadata = {}});
    EXPECT_EQ(line.leaf.computed, audit::LeafHash(entry));
}

TEST(ExportLine, NothingStaysFromTheLineBefore) {
    ExportLineParser used;
    const LeafLine first = Leaf(used, kEntry);
    EXPECT_THROW(used.Parse(R"({"class":"normal","index":"3","actor":"x")"), InputError);
    EXPECT_THROW(used.Parse(R"({"class":"normal","index":"3"})"), InputError);
    EXPECT_EQ(Leaf(used, kEntry).leaf.computed, first.leaf.computed);
}

TEST(ExportLine, NumbersAreTextOrNumbers) {
    ExportLineParser parser;
    std::string numbers = kEntry;
    for (const char* text : {R"("3")", R"("-1")", R"("7")", R"("-2")"}) {
        const std::string quoted = text;
        numbers.replace(numbers.find(quoted), quoted.size(), quoted.substr(1, quoted.size() - 2));
    }
    EXPECT_EQ(Leaf(parser, numbers).leaf.computed, Leaf(parser, kEntry).leaf.computed);
}

TEST(LineReader, LinesOfEveryLength) {
    const std::string path = ::testing::TempDir() + "/rampart_lines";
    for (const std::size_t length : {0UL, 1UL, 1000UL, 262143UL, 262144UL, 262145UL, 1000000UL}) {
        const std::string line(length, 'x');
        std::ofstream(path) << line << "\n\n" << line;
        LineReader reader(path, 1000000);
        EXPECT_EQ(reader.Next(), line);
        EXPECT_EQ(reader.Next(), "");
        EXPECT_EQ(reader.Next(),
                  length == 0 ? std::nullopt : std::optional<std::string_view>(line));
        EXPECT_EQ(reader.Next(), std::nullopt);
        EXPECT_EQ(reader.number(), length == 0 ? 2U : 3U);
    }
    std::ofstream(path) << std::string(11, 'x') << "\n";
    EXPECT_THROW(LineReader(path, 10).Next(), InputError);
    EXPECT_EQ(LineReader(path, 11).Next()->size(), 11U);
    (void)std::remove(path.c_str());
    EXPECT_THROW(LineReader(path, 10), InputError);
}

TEST(VerifyText, ControlCharactersAreNotShown) {
    EXPECT_EQ(Printable("a\x1b[31m\n\xff\xc3\xbc\xc2\x9b"), "a?[31m??\xc3\xbc?");
    EXPECT_FALSE(FromHex("0"));
    EXPECT_FALSE(FromHex("AB"));
    EXPECT_EQ(Hex(FromHex("00ff").value()), "00ff");
}

}  // namespace
}  // namespace rampart::verify
