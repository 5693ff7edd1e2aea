# Applies to everything built in this tree. The module itself is never built this way: a packaged
# server cannot host ASan, so it covers core, unit tests and fuzz targets.
if(RAMPART_SANITIZE)
    add_compile_options(-fsanitize=${RAMPART_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${RAMPART_SANITIZE})
endif()
