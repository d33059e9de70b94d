# Compiles SOURCE to OUTPUT and keeps what ptxas says of its kernels in LOG.
cmake_minimum_required(VERSION 3.18)
get_filename_component(folder "${OUTPUT}" DIRECTORY)
file(MAKE_DIRECTORY "${folder}")
execute_process(
  COMMAND "${NVCC}" -std=c++17 -fatbin --compress-mode=size -Xptxas -v ${GENCODE} -o "${OUTPUT}" "${SOURCE}"
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
  file(REMOVE "${OUTPUT}")
  message(FATAL_ERROR "nvcc does not compile ${SOURCE}:\n${said}")
endif()
string(REGEX MATCHALL "[^\n]*(warning|Warning)[^\n]*" warnings "${said}")
if(warnings)
  file(REMOVE "${OUTPUT}")
  message(FATAL_ERROR "nvcc warns of ${SOURCE}:\n${said}")
endif()
file(WRITE "${LOG}" "${said}")
