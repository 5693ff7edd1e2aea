# Writes what rampart_embed_files asks for. Raw strings end at a mark that no text has.
set(text "#include \"config/embedded.hpp\"\n\nnamespace rampart::server {\n\nconst std::vector<EmbeddedFile> ${NAME}{\n")
foreach(file IN LISTS FILES)
    get_filename_component(base ${file} NAME)
    file(READ ${file} content)
    string(APPEND text "    {\"${base}\", R\"~~~~(${content})~~~~\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace rampart::server\n")
file(WRITE ${OUT} "${text}")
