// A text as a QR code, for a page (SVG) and for everything else (PNG). Both are black on white with
// the quiet zone of four modules that scanners ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::server::mfa {

// Error 22023 for text that no QR code holds: 2,331 bytes.
std::string QrSvg(std::string_view text);
std::vector<std::uint8_t> QrPng(std::string_view text);

}  // namespace rampart::server::mfa
