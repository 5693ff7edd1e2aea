// Files of the source tree that the binary carries. cmake/EmbedFiles.cmake writes the arrays.
#pragma once

#include <string_view>
#include <vector>

namespace rampart::server {

struct EmbeddedFile {
    std::string_view name;
    std::string_view text;
};

extern const std::vector<EmbeddedFile> kMigrations;     // sql/auth, in order
extern const std::vector<EmbeddedFile> kMailTemplates;  // server/mail/templates

}  // namespace rampart::server
