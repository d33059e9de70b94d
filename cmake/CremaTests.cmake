# Tests besides the programs of native/test.

# A linker keeps one copy of an inline function that several objects define. So no object of an instruction set may
# define one outside the namespace of that set: an AVX-512 copy could serve a processor without AVX-512.
function(crema_isa_symbol_test)
  if(NOT CMAKE_NM OR CREMA_SANITIZE OR CREMA_EMULATE)
    return()
  endif()
  get_property(isas GLOBAL PROPERTY CREMA_ISAS)
  foreach(isa ${isas})
    add_test(NAME isa_symbols_${isa}
             COMMAND "${CMAKE_COMMAND}" "-DNM=${CMAKE_NM}" "-DISA=${isa}"
                     "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:crema_${isa}>,|>" -P
                     "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/check_isa_symbols.cmake")
  endforeach()
endfunction()

# The thread pool under ThreadSanitizer, where a program built with it runs.
function(crema_pool_race_test)
  if(CREMA_SANITIZE OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  include(CheckCXXSourceRuns)
  set(CMAKE_REQUIRED_FLAGS -fsanitize=thread)
  set(CMAKE_REQUIRED_LINK_OPTIONS -fsanitize=thread)
  check_cxx_source_runs("int main() { return 0; }" CREMA_THREAD_SANITIZER_RUNS)
  if(NOT CREMA_THREAD_SANITIZER_RUNS)
    message(STATUS "ThreadSanitizer does not run here: no test of the pool under it")
    return()
  endif()
  add_executable(pool_race_test test/pool_test.cpp src/pool.cpp)
  target_compile_features(pool_race_test PRIVATE cxx_std_17)
  target_compile_options(pool_race_test PRIVATE -Wall -Wextra -Werror -O1 -g -fsanitize=thread)
  target_link_options(pool_race_test PRIVATE -fsanitize=thread)
  target_link_libraries(pool_race_test PRIVATE Threads::Threads)
  add_test(NAME pool_race_test COMMAND pool_race_test)
endfunction()
