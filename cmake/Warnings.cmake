# One interface target carries the house's warnings, so that no target can forget them.
add_library(rampart_warnings INTERFACE)
target_compile_options(rampart_warnings INTERFACE -Wall -Wextra -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Found the one real bug of the C++/server boundary: a local changed after sigsetjmp.
    target_compile_options(rampart_warnings INTERFACE -Wclobbered)
endif()
if(RAMPART_WERROR)
    target_compile_options(rampart_warnings INTERFACE -Werror)
endif()
