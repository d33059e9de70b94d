# The kernels as C++ on the emulation of src/test/emulation: a library for Java's tests, and C++ tests.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(emulation "${CMAKE_CURRENT_SOURCE_DIR}/src/test/emulation")

# Nothing is fused into one rounding, and infinities and NaN are what IEEE 754 says. Packs of numbers are read as words, as on the card.
add_library(emulation_flags INTERFACE)
target_compile_features(emulation_flags INTERFACE cxx_std_17)
target_compile_options(emulation_flags INTERFACE -Wall -Wextra -Werror -fPIC -ffp-contract=off -fno-math-errno
                                                 -fno-strict-aliasing)
target_include_directories(emulation_flags INTERFACE "${emulation}" "${CREMA_KERNELS}")
if(CREMA_SANITIZE)
  target_compile_options(emulation_flags INTERFACE -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
                                                   -fno-sanitize-recover=all)
  target_link_options(emulation_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(emulation_flags INTERFACE -O2)
endif()

set(sources "${emulation}/cuda_emulation.cpp")
foreach(source ${CREMA_FAMILIES})
  get_filename_component(name "${source}" NAME_WE)
  set(wrapper "${CMAKE_CURRENT_BINARY_DIR}/emulated/${name}.cpp")
  file(GENERATE OUTPUT "${wrapper}" CONTENT "#include \"cuda_emulation.h\"\n#include \"${name}.cu\"\n")
  list(APPEND sources "${wrapper}")
endforeach()
add_library(emulated_kernels OBJECT ${sources})
target_link_libraries(emulated_kernels PRIVATE emulation_flags)

if(CREMA_JAVA_HOME)
  add_library(crema_emulated_kernels SHARED "${emulation}/emulation_jni.cpp" $<TARGET_OBJECTS:emulated_kernels>)
  target_link_libraries(crema_emulated_kernels PRIVATE emulation_flags)
  target_include_directories(crema_emulated_kernels PRIVATE "${CREMA_JAVA_HOME}/include"
    "${CREMA_JAVA_HOME}/include/linux" "${CREMA_JAVA_HOME}/include/darwin")
endif()

enable_testing()
file(GLOB tests CONFIGURE_DEPENDS "${emulation}/*_test.cpp")
foreach(source ${tests})
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} "${source}" $<TARGET_OBJECTS:emulated_kernels>)
  target_link_libraries(${name} PRIVATE emulation_flags)
  add_test(NAME ${name} COMMAND ${name})
endforeach()

# NVRTC's library is opened where it is found; elsewhere the test says that it is skipped.
add_executable(nvrtc_test "${CMAKE_CURRENT_SOURCE_DIR}/src/test/nvrtc/nvrtc_test.cpp")
target_compile_features(nvrtc_test PRIVATE cxx_std_17)
target_compile_options(nvrtc_test PRIVATE -Wall -Wextra -Werror)
target_link_libraries(nvrtc_test PRIVATE ${CMAKE_DL_LIBS})
add_test(NAME nvrtc_test COMMAND nvrtc_test "${CREMA_KERNELS}")
set_tests_properties(nvrtc_test PROPERTIES SKIP_RETURN_CODE 77)

add_test(NAME registers_test COMMAND ${CMAKE_COMMAND} "-DREGISTERS=${CMAKE_CURRENT_SOURCE_DIR}/cmake/registers.cmake"
  "-DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/registers_test" -P "${CMAKE_CURRENT_SOURCE_DIR}/src/test/registers/registers_test.cmake")
