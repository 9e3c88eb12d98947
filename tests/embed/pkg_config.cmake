# Compiles SOURCE in one command with what pkg-config says of the library in PREFIX, and runs it.
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
set(ENV{LD_LIBRARY_PATH} ${PREFIX}/${LIBDIR})
execute_process(COMMAND pkg-config --cflags --libs ${FLAGS} seriatim
  OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "pkg-config says: ${answer}")
separate_arguments(answer UNIX_COMMAND "${answer}")
execute_process(COMMAND ${COMPILER} -std=c++20 ${SOURCE} -o ${PROGRAM} ${answer}
  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} ${PROGRAM}.data COMMAND_ERROR_IS_FATAL ANY)
