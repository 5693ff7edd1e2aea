#include "config/requirement.hpp"

#include <filesystem>
#include <fstream>

#include "config/settings.hpp"

namespace rampart::server {

void Require(bool good, const char* setting, const char* reason) {
    if (!good) throw ConfigurationError(std::string(setting) + ": " + reason);
}

bool IsReadable(const std::string& file) { return std::ifstream(file).good(); }

bool IsReadableByAll(const std::string& file) {
    using std::filesystem::perms;
    std::error_code error;
    const perms mode = std::filesystem::status(file, error).permissions();
    return !error && (mode & perms::others_read) != perms::none;
}

}  // namespace rampart::server
