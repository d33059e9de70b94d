# That the table of registers has a row a kernel and architecture, and that a spill without a reason fails the build.
#   cmake -DREGISTERS=registers.cmake -DFOLDER=where to write -P registers_test.cmake
cmake_minimum_required(VERSION 3.18)
file(MAKE_DIRECTORY "${FOLDER}")
set(log "${FOLDER}/fake.ptxas.txt")
set(table "${FOLDER}/registers.txt")
set(allowed "${FOLDER}/spills.txt")
file(WRITE "${log}" "ptxas info    : Compiling entry function 'tight' for 'sm_80'
ptxas info    : Function properties for tight
    24 bytes stack frame, 20 bytes spill stores, 24 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 24 bytes cumulative stack size, 512 bytes smem
ptxas info    : Compiling entry function 'tight' for 'sm_90'
ptxas info    : Function properties for tight
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 0 barriers
")

# Runs it with that text as the spills that may be.
function(run spills status said)
  file(WRITE "${allowed}" "${spills}")
  execute_process(COMMAND ${CMAKE_COMMAND} "-DLOGS=${log}" "-DTABLE=${table}" "-DALLOWED=${allowed}" -P "${REGISTERS}"
                  RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${status} "${result}" PARENT_SCOPE)
  set(${said} "${text}" PARENT_SCOPE)
endfunction()

foreach(spills "" "other: a reason\n" "tight:\n")
  run("${spills}" status said)
  if(status EQUAL 0 OR NOT said MATCHES "tight on sm_80: 44 bytes" OR said MATCHES "sm_90" OR EXISTS "${table}")
    message(FATAL_ERROR "A spill passes with \"${spills}\" (${status}):\n${said}")
  endif()
endforeach()

run("tight: a reason\n" status said)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "A spill with a reason fails:\n${said}")
endif()
file(READ "${table}" text)
set(expected "kernel\tarchitecture\tregisters\tspill bytes\tshared bytes\ntight\tsm_80\t255\t44\t512\ntight\tsm_90\t40\t0\t0\n")
if(NOT text STREQUAL expected)
  message(FATAL_ERROR "The table is\n${text}\nand not\n${expected}")
endif()
