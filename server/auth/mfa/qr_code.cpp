#include "auth/mfa/qr_code.hpp"

#include <memory>
#include <new>

#include <png.h>
#include <qrencode.h>

#include "error.hpp"

namespace rampart::server::mfa {
namespace {

constexpr int kQuietZone = 4;  // modules (ISO/IEC 18004)
constexpr int kScale = 6;      // pixels a module

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

class Modules {
  public:
    explicit Modules(std::string_view text)
        : code_(QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_M)) {
        if (!code_) throw Error(errc::kInvalidParameter, "no QR code can hold this text");
    }
    int width() const { return code_->width; }
    bool IsDark(int x, int y) const { return (code_->data[y * code_->width + x] & 1) != 0; }

  private:
    std::unique_ptr<QRcode, FreeCode> code_;
};

}  // namespace

std::string QrSvg(std::string_view text) {
    const Modules modules(text);
    const std::string side = std::to_string(modules.width() + 2 * kQuietZone);
    std::string svg = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" + side + " " +
                      side + R"(" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h)" + side +
                      "v" + side + R"(H0z"/><path d=")";
    for (int y = 0; y < modules.width(); ++y) {
        for (int x = 0; x < modules.width(); ++x) {
            if (!modules.IsDark(x, y)) continue;
            // A run of dark modules is one rectangle: half the size of one for each.
            const int start = x;
            while (x + 1 < modules.width() && modules.IsDark(x + 1, y)) ++x;
            const std::string run = std::to_string(x - start + 1);
            svg += "M" + std::to_string(start + kQuietZone) + " " + std::to_string(y + kQuietZone) +
                   "h" + run + "v1h-" + run + "z";
        }
    }
    return svg + R"("/></svg>)";
}

std::vector<std::uint8_t> QrPng(std::string_view text) {
    const Modules modules(text);
    const int side = (modules.width() + 2 * kQuietZone) * kScale;
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(side) * side, 255);
    for (int y = 0; y < modules.width() * kScale; ++y) {
        for (int x = 0; x < modules.width() * kScale; ++x) {
            if (!modules.IsDark(x / kScale, y / kScale)) continue;
            pixels[static_cast<std::size_t>(y + kQuietZone * kScale) * side + x +
                   kQuietZone * kScale] = 0;
        }
    }
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = static_cast<png_uint_32>(side);
    image.format = PNG_FORMAT_GRAY;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    std::vector<std::uint8_t> png(size);
    if (!png_image_write_to_memory(&image, png.data(), &size, 0, pixels.data(), side, nullptr)) {
        throw Error(errc::kInternal, "cannot write a PNG");
    }
    png.resize(size);
    return png;
}

}  // namespace rampart::server::mfa
