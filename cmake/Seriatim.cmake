# Build rules shared by the folders: warnings for our own targets (never for an embedding project's), and
# one static library per layer of engine/, so that a layer's tests link only what lies below it.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
find_package(ZLIB REQUIRED)
find_package(Snappy REQUIRED)

add_library(seriatim_warnings INTERFACE)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(seriatim_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(seriatim_warnings INTERFACE -Wthread-safety -Wdocumentation)
  endif()
  if(SERIATIM_WERROR)
    target_compile_options(seriatim_warnings INTERFACE -Werror)
  endif()
endif()

# seriatim_layer(NAME [links...]): a static library of engine/NAME/**.cpp.
function(seriatim_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(seriatim_${name} STATIC ${sources})
  target_include_directories(seriatim_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine>)
  target_compile_features(seriatim_${name} PUBLIC cxx_std_20)
  set_target_properties(seriatim_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(seriatim_${name} PUBLIC ${ARGN} PRIVATE seriatim_warnings)
endfunction()
