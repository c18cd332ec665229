# The C libraries, one name each. Every one is a Debian 12 package (packaging/build-deps).
# With PORTHERD_STATIC the program has all of them in it, and asks a system for nothing but glibc, 2.34 or later.
option(PORTHERD_STATIC "one file: every library but glibc is in the program" OFF)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(library name module)  # the libraries' own names follow
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(${name} INTERFACE)
  if(NOT PORTHERD_STATIC)
    target_link_libraries(${name} INTERFACE PkgConfig::${name} Threads::Threads)
    return()
  endif()
  foreach(archive ${ARGN})
    find_library(ARCHIVE_${archive} lib${archive}.a REQUIRED)
    target_link_libraries(${name} INTERFACE ${ARCHIVE_${archive}})
  endforeach()
  target_include_directories(${name} SYSTEM INTERFACE ${${name}_INCLUDE_DIRS})
  target_link_libraries(${name} INTERFACE Threads::Threads)
endfunction()

library(libevent libevent_core event_core)
library(openssl openssl ssl crypto)
library(nghttp2 libnghttp2 nghttp2)
library(seccomp libseccomp seccomp)

# fmt, toml++, CLI11 and nlohmann-json come as headers: toml++'s .pc file would force its shared library on us. fmt's are
# compiled once.
add_library(fmt STATIC cmake/fmt.cpp)
foreach(name tomlplusplus json cli11)
  add_library(${name} INTERFACE)
endforeach()
target_compile_definitions(tomlplusplus INTERFACE TOML_HEADER_ONLY=0)

add_library(allocator INTERFACE)
if(PORTHERD_STATIC)
  find_library(JEMALLOC_PIC libjemalloc_pic.a REQUIRED)
  add_library(older_glibc OBJECT cmake/older_glibc.cpp)
  target_link_libraries(allocator INTERFACE $<TARGET_OBJECTS:older_glibc> ${JEMALLOC_PIC} -static-libstdc++ -static-libgcc)
elseif(NOT SANITIZE)
  find_library(JEMALLOC jemalloc REQUIRED)
  target_link_libraries(allocator INTERFACE -Wl,--no-as-needed ${JEMALLOC} -Wl,--as-needed)
endif()
