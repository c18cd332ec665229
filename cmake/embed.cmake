# embed(TARGET NAME GLOB): the files become constexpr strings in the generated header NAME.inc of the target, as
# { "file name", "contents" }, rows, so that one binary carries them.
function(embed target name glob)
  file(GLOB files CONFIGURE_DEPENDS ${glob})
  set(out ${CMAKE_BINARY_DIR}/generated/${name}.inc)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake VERBATIM)
  add_custom_target(${name} DEPENDS ${out})
  add_dependencies(${target} ${name})
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()
