// Test vectors in the line format of NIST's CAVS, which the golden files share:
//
//   [Taglen = 128]      holds for every record after it
//   Count = 0           the first field of a record
//   Key = 00ff          hexadecimal or text, as the test takes it
//   FAIL                the operation must be refused
//
// Blank lines and lines that begin with # are skipped.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart::test {

using Bytes = std::vector<std::uint8_t>;

std::string Hex(ByteView bytes);
Bytes FromHex(std::string_view text);
Bytes ToBytes(std::string_view text);

class Vector {
  public:
    bool fails = false;

    void Set(const std::string& name, std::string value);
    bool Has(const std::string& name) const { return fields_.count(name) != 0; }
    const std::string& Text(const std::string& name) const;  // throws if absent
    Bytes Hex(const std::string& name) const { return FromHex(Text(name)); }
    SecretKey Key(const std::string& name) const { return SecretKey(Hex(name)); }
    std::uint64_t Number(const std::string& name, int base = 10) const {
        return std::stoull(Text(name), nullptr, base);
    }

  private:
    std::map<std::string, std::string> fields_;
};

// `first` names the field that begins a record. Throws if the file cannot be read or is empty.
std::vector<Vector> ReadVectors(const std::string& path, std::string_view first);

// A file of tests/vectors.
std::vector<Vector> GoldenVectors(const std::string& name);

// A file of the published vectors that Debian ships as python3-cryptography-vectors, or of the
// folder that the environment variable RAMPART_VECTORS names. Nothing if the folder is absent; the
// test is then skipped.
std::vector<Vector> PublishedVectors(const std::string& name, std::string_view first);
std::vector<std::string> PublishedLines(const std::string& name);
inline constexpr const char* kNoPublishedVectors =
    "published vectors not found: install python3-cryptography-vectors or set RAMPART_VECTORS";

}  // namespace rampart::test
