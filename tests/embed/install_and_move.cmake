# Installs a build tree into STAGE and renames that to PREFIX: what was installed must not remember where.
file(REMOVE_RECURSE ${STAGE} ${PREFIX})
foreach(component runtime dev)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${STAGE} --component ${component}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RENAME ${STAGE} ${PREFIX})

file(GLOB_RECURSE installed LIST_DIRECTORIES false ${PREFIX}/*.cmake ${PREFIX}/*.pc)
if(NOT installed)
  message(FATAL_ERROR "nothing for find_package or pkg-config was installed in ${PREFIX}")
endif()
foreach(file IN LISTS installed)
  file(READ ${file} text)
  if(text MATCHES "${STAGE}" OR text MATCHES "${BUILD}")
    message(FATAL_ERROR "${file} names the folder it was installed to or built in; it cannot be moved")
  endif()
endforeach()
