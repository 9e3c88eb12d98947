# The files that `cmake --install` puts in place: the library with its headers, find_package(seriatim) files, a pkg-config
# file that may be moved with its prefix, and the command.
include(CMakePackageConfigHelpers)

# The data that a compiler leaves in objects for the link is read by that very version alone.
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND NOT BUILD_SHARED_LIBS)
  message(FATAL_ERROR "A static seriatim that is optimised at link time could be linked by this version of the "
    "compiler only, so it is not installed. Configure with -DBUILD_SHARED_LIBS=ON to install it optimised, with "
    "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF to install it static, or with -DSERIATIM_INSTALL=OFF.")
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/seriatim)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS seriatim EXPORT seriatim-targets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev
  ARCHIVE COMPONENT dev
  FILE_SET HEADERS COMPONENT dev)
install(EXPORT seriatim-targets NAMESPACE seriatim:: DESTINATION ${package_dir} COMPONENT dev)

get_target_property(library_type seriatim TYPE)
if(library_type STREQUAL "STATIC_LIBRARY")
  set(SERIATIM_IS_STATIC ON)
else()
  set(SERIATIM_IS_STATIC OFF)
endif()
string(REPLACE ";" " " SERIATIM_STATIC_NEEDS "${SERIATIM_EXTERNAL_PACKAGES}")
configure_package_config_file(cmake/seriatim-config.cmake.in seriatim-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break the source.
write_basic_package_version_file(seriatim-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/seriatim-config.cmake ${PROJECT_BINARY_DIR}/seriatim-config-version.cmake
  DESTINATION ${package_dir} COMPONENT dev)

file(RELATIVE_PATH SERIATIM_PC_TO_PREFIX "/prefix/${pkgconfig_dir}" "/prefix")
configure_file(cmake/seriatim.pc.in seriatim.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/seriatim.pc DESTINATION ${pkgconfig_dir} COMPONENT dev)

if(TARGET seriatim-cli)
  install(TARGETS seriatim-cli RUNTIME COMPONENT tools)
endif()
