# Writes OUT, a C++ file with the texts of FILES, separated by "|".
set(rows "")
string(REPLACE "|" ";" files "${FILES}")
foreach(file IN LISTS files)
    file(READ "${file}" text)
    get_filename_component(name "${file}" NAME_WE)
    string(APPEND rows "    {\"${name}\", R\"mail(${text})mail\"},\n")
endforeach()
file(WRITE "${OUT}" "#include \"mail/embedded_templates.hpp\"

namespace rampart::server::mail {
namespace {

constexpr EmbeddedTemplate kTemplates[] = {
${rows}};

}  // namespace

std::span<const EmbeddedTemplate> EmbeddedTemplates() { return kTemplates; }

}  // namespace rampart::server::mail
")
