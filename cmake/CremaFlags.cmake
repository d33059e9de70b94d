# Flags that every object of the library shares. Warnings are errors.
include(CheckCXXCompilerFlag)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  message(FATAL_ERROR "Crema's kernels use vector types of GCC and Clang. On Windows build with MinGW-w64 or "
                      "clang: cmake -DCMAKE_CXX_COMPILER=clang++ (found ${CMAKE_CXX_COMPILER_ID}).")
endif()

function(crema_flags target)
  target_compile_features(${target} PUBLIC cxx_std_17)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -fno-math-errno -fno-trapping-math
                                           -ffp-contract=fast)
  if(CREMA_SANITIZE)
    target_compile_options(${target} PRIVATE -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  else()
    target_compile_options(${target} PRIVATE -O3)
  endif()
endfunction()

set(CREMA_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/exports.map")

function(crema_link_flags target)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    # Old glibc and no libstdc++ on the user's machine: carry the C++ runtime inside, export the JNI names only.
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL -Wl,-z,now
                                             -Wl,--no-undefined
                                             "-Wl,--version-script=${CREMA_EXPORTS}")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${CREMA_EXPORTS}")
    if(NOT CREMA_SANITIZE)
      target_link_options(${target} PRIVATE -s)
    endif()
  endif()
endfunction()
