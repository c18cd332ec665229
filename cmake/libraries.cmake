# The C libraries, one name each. Every one is a Debian 12 package (packaging/build-deps).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(library name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE PkgConfig::${name} Threads::Threads)
endfunction()

library(libevent libevent_core)
library(openssl openssl)
library(nghttp2 libnghttp2)

# fmt, toml++, CLI11 and nlohmann-json come as headers: toml++'s .pc file would force its shared library on us. fmt's are
# compiled once.
add_library(fmt STATIC cmake/fmt.cpp)
foreach(name tomlplusplus json cli11)
  add_library(${name} INTERFACE)
endforeach()
target_compile_definitions(tomlplusplus INTERFACE TOML_HEADER_ONLY=0)

add_library(allocator INTERFACE)
if(NOT SANITIZE)
  find_library(JEMALLOC jemalloc REQUIRED)
  target_link_libraries(allocator INTERFACE -Wl,--no-as-needed ${JEMALLOC} -Wl,--as-needed)
endif()
