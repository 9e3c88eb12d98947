# The one public library, made of the objects of all layers, and `seriatim_internal`, the same code with its
# inner headers, for tests, benchmarks and the command.

get_property(layer_objects GLOBAL PROPERTY SERIATIM_LAYER_OBJECTS)
get_property(layer_targets GLOBAL PROPERTY SERIATIM_LAYER_TARGETS)

file(GLOB_RECURSE public_headers CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/include/seriatim/*.hpp ${PROJECT_SOURCE_DIR}/include/seriatim/*.h)

add_library(seriatim)
add_library(seriatim::seriatim ALIAS seriatim)
foreach(objects IN LISTS layer_objects)
  target_sources(seriatim PRIVATE $<TARGET_OBJECTS:${objects}>)
endforeach()
target_sources(seriatim PUBLIC FILE_SET HEADERS
  BASE_DIRS ${SERIATIM_PUBLIC_INCLUDES}
  FILES ${public_headers} ${PROJECT_BINARY_DIR}/include/seriatim/version.hpp)
target_compile_features(seriatim PUBLIC cxx_std_20)
list(TRANSFORM SERIATIM_EXTERNAL_PACKAGES PREPEND PkgConfig::SERIATIM_ OUTPUT_VARIABLE external)
target_link_libraries(seriatim PUBLIC Threads::Threads PRIVATE ${external})
set_target_properties(seriatim PROPERTIES
  LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  VERIFY_INTERFACE_HEADER_SETS ON)

# Hidden visibility leaves the weak symbols of library templates exported; the version script does not.
get_target_property(library_type seriatim TYPE)
if(library_type STREQUAL "SHARED_LIBRARY")
  set(version_script ${PROJECT_SOURCE_DIR}/cmake/seriatim.map)
  target_link_options(seriatim PRIVATE -Wl,--version-script=${version_script} -Wl,--no-undefined)
  set_target_properties(seriatim PROPERTIES LINK_DEPENDS ${version_script})
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    message(FATAL_ERROR "A shared seriatim cannot be linked with a sanitizer: -Wl,--no-undefined rejects the "
      "run-time's symbols. Configure with -DBUILD_SHARED_LIBS=OFF.")
  endif()
endif()

add_library(seriatim_internal INTERFACE)
target_link_libraries(seriatim_internal INTERFACE ${layer_targets})
