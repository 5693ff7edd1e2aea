# rampart_concat_sql(OUT files...): one script out of the files, in the order given.
function(rampart_concat_sql out)
    add_custom_command(
        OUTPUT ${out}
        COMMAND cat ${ARGN} > ${out}
        DEPENDS ${ARGN}
        VERBATIM)
endfunction()
