// The files of templates/, as the build puts them into the program.
#pragma once

#include <span>
#include <string_view>

namespace rampart::server::mail {

struct EmbeddedTemplate {
    std::string_view name;
    std::string_view text;
};

std::span<const EmbeddedTemplate> EmbeddedTemplates();

}  // namespace rampart::server::mail
