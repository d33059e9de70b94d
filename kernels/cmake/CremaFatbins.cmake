# One fat binary a family, and of all a table of registers, shared memory and spills.
find_program(CREMA_NVCC nvcc HINTS "$ENV{CUDA_HOME}/bin" "$ENV{CUDA_PATH}/bin" "/usr/local/cuda/bin")
set(CREMA_CUDA_ARCHITECTURES "80;90;100" CACHE STRING "Compute capabilities with machine code; PTX is of the last")

if(NOT CREMA_NVCC)
  message(STATUS "nvcc is not on the PATH, nor in CUDA_HOME: NVRTC will compile the CUDA kernels at their first use")
  add_custom_target(fatbins)
  return()
endif()

set(gencode "")
foreach(architecture ${CREMA_CUDA_ARCHITECTURES})
  list(APPEND gencode -gencode "arch=compute_${architecture},code=sm_${architecture}")
  set(newest ${architecture})
endforeach()
# Where all are compiled, a family whose code differs on more cards names those.
list(LENGTH CREMA_CUDA_ARCHITECTURES count)
if(count GREATER 1)
  set(CREMA_MORE_fp8_linear 89 120)
endif()
list(APPEND gencode -gencode "arch=compute_${newest},code=compute_${newest}")

set(outputs "")
set(logs "")
foreach(source ${CREMA_FAMILIES})
  get_filename_component(name "${source}" NAME_WE)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/fatbin/${name}.fatbin")
  set(log "${CMAKE_CURRENT_BINARY_DIR}/fatbin/${name}.ptxas.txt")
  set(all "${gencode}")
  foreach(architecture ${CREMA_MORE_${name}})
    list(APPEND all -gencode "arch=compute_${architecture},code=sm_${architecture}")
  endforeach()
  add_custom_command(
    OUTPUT "${output}" "${log}"
    COMMAND ${CMAKE_COMMAND} "-DNVCC=${CREMA_NVCC}" "-DGENCODE=${all}" "-DSOURCE=${source}" "-DOUTPUT=${output}"
            "-DLOG=${log}" -P "${CMAKE_CURRENT_LIST_DIR}/fatbin.cmake"
    DEPENDS "${source}" ${CREMA_HEADERS} "${CMAKE_CURRENT_LIST_DIR}/fatbin.cmake"
    COMMENT "nvcc ${name}.cu" VERBATIM)
  list(APPEND outputs "${output}")
  list(APPEND logs "${log}")
endforeach()

set(table "${CMAKE_CURRENT_BINARY_DIR}/registers.txt")
set(allowed "${CMAKE_CURRENT_SOURCE_DIR}/spills.txt")
add_custom_command(
  OUTPUT "${table}"
  COMMAND ${CMAKE_COMMAND} "-DLOGS=${logs}" "-DTABLE=${table}" "-DALLOWED=${allowed}"
          -P "${CMAKE_CURRENT_LIST_DIR}/registers.cmake"
  DEPENDS ${logs} "${allowed}" "${CMAKE_CURRENT_LIST_DIR}/registers.cmake"
  COMMENT "Registers and spills of the CUDA kernels" VERBATIM)
add_custom_target(fatbins DEPENDS ${outputs} "${table}")
