# rampart_embed_files(OUT NAME DIRECTORY SUFFIX): a source file that holds the files of a directory with that suffix, in the order
# of their names, as an array NAME of EmbeddedFile (server/config/embedded.hpp). Text only.
function(rampart_embed_files out name directory suffix)
    file(GLOB files CONFIGURE_DEPENDS ${directory}/*${suffix})
    list(SORT files)
    add_custom_command(
        OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${CMAKE_CURRENT_BINARY_DIR}/${out} -DNAME=${name} "-DFILES=${files}"
                -P ${PROJECT_SOURCE_DIR}/cmake/WriteEmbedded.cmake
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/WriteEmbedded.cmake
        VERBATIM)
endfunction()
