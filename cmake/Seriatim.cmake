# Build rules shared by the folders: what the engine links, warnings for our own targets (never for an
# embedding project's), and the shape of a layer.

# GLOBAL here and below: a project that takes us in with add_subdirectory links the static library, and what
# that needs, from outside this folder.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Threads REQUIRED)
unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
find_package(PkgConfig REQUIRED)

# Everything the engine links, by pkg-config name. None of it shows in a public header; a user of the static
# library needs it when linking, which is why the installed package repeats this list.
set(SERIATIM_EXTERNAL_PACKAGES lmdb libxxhash libisal liblz4 libzstd snappy zlib)

foreach(package IN LISTS SERIATIM_EXTERNAL_PACKAGES)
  pkg_check_modules(SERIATIM_${package} REQUIRED IMPORTED_TARGET GLOBAL ${package})
endforeach()

add_library(seriatim_warnings INTERFACE)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(seriatim_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(seriatim_warnings INTERFACE -Wthread-safety -Wdocumentation)
  elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 sees overlaps in std::string's own operator+ that cannot be (GCC bug 105329, fixed in 13).
    target_compile_options(seriatim_warnings INTERFACE -Wno-restrict)
    # Nor, optimising at link time, that a string's length has a limit.
    if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
      target_link_options(seriatim_warnings INTERFACE -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
  endif()
  if(SERIATIM_WERROR)
    target_compile_options(seriatim_warnings INTERFACE -Werror)
  endif()
endif()

# seriatim_layer(NAME [LAYERS lower...] [EXTERNAL packages...]): engine/NAME/**.cpp, compiled once, as
#   seriatim_NAME_objects  what the public library is made of
#   seriatim_NAME          a static library with the layers below it, for that layer's tests
function(seriatim_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LAYERS;EXTERNAL")
  list(TRANSFORM arg_LAYERS PREPEND seriatim_)
  list(TRANSFORM arg_EXTERNAL PREPEND PkgConfig::SERIATIM_)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)  # headers only
    add_library(seriatim_${name} INTERFACE)
    target_link_libraries(seriatim_${name} INTERFACE ${arg_LAYERS})
    return()
  endif()

  add_library(seriatim_${name}_objects OBJECT ${sources})
  target_include_directories(seriatim_${name}_objects PRIVATE ${SERIATIM_PUBLIC_INCLUDES} ${PROJECT_SOURCE_DIR}/engine)
  target_compile_features(seriatim_${name}_objects PRIVATE cxx_std_20)
  set_target_properties(seriatim_${name}_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(seriatim_${name}_objects PRIVATE seriatim_warnings Threads::Threads ${arg_EXTERNAL})

  add_library(seriatim_${name} STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:seriatim_${name}_objects>)
  target_include_directories(seriatim_${name} PUBLIC ${SERIATIM_PUBLIC_INCLUDES} ${PROJECT_SOURCE_DIR}/engine)
  target_compile_features(seriatim_${name} PUBLIC cxx_std_20)
  set_target_properties(seriatim_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(seriatim_${name} PUBLIC ${arg_LAYERS} Threads::Threads PRIVATE ${arg_EXTERNAL})
  set_property(GLOBAL APPEND PROPERTY SERIATIM_LAYER_OBJECTS seriatim_${name}_objects)
  set_property(GLOBAL APPEND PROPERTY SERIATIM_LAYER_TARGETS seriatim_${name})
endfunction()
