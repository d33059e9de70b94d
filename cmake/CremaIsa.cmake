# One object library for each instruction set, of the same kernel sources. Levels as in src/isa.cpp.
function(crema_isa name level flags sources)
  set(target crema_${name})
  if(CREMA_EMULATE AND level GREATER 1)
    set(flags "-mavx2 -mfma -mf16c -mbmi2 -include ${CMAKE_CURRENT_SOURCE_DIR}/test/emulation/avx512.h -DCREMA_EMULATE -Wno-psabi")
  endif()
  add_library(${target} OBJECT ${sources})
  crema_flags(${target})
  separate_arguments(flag_list UNIX_COMMAND "${flags}")
  target_compile_options(${target} PRIVATE ${flag_list} -fno-exceptions -Wno-uninitialized
                         -Wno-maybe-uninitialized)  # GCC 12 finds both in its own AVX-512 header
  target_compile_definitions(${target} PRIVATE CREMA_ISA=${name} CREMA_LEVEL=${level})
  set_property(GLOBAL APPEND PROPERTY CREMA_ISAS ${name})
  set(CREMA_ISA_OBJECTS_COLLECTED "${CREMA_ISA_OBJECTS_COLLECTED};$<TARGET_OBJECTS:${target}>" PARENT_SCOPE)
endfunction()

# Sets `result` to the objects of all instruction sets of the target processor.
function(crema_isa_libraries result)
  file(GLOB kernels CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/kernels/*.cpp")
  # Products of bytes, which have instructions of their own.
  set(int8 ${kernels})
  list(FILTER int8 INCLUDE REGEX "/int8[^/]*\\.cpp$")
  # Matrix products, which have instructions of their own for bfloat16.
  set(bf16 ${kernels})
  list(FILTER bf16 INCLUDE REGEX "/(attention|gemm|linear|mat_mul|probe)[^/]*\\.cpp$")
  set(CREMA_ISA_OBJECTS_COLLECTED "")
  crema_isa(scalar 0 "" "${kernels}")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    crema_isa(avx2 1 "-mavx2 -mfma -mf16c -mbmi2" "${kernels}")
    include(CheckCXXCompilerFlag)
    check_cxx_compiler_flag(-mavxvnni CREMA_HAS_AVXVNNI)  # GCC 11, Clang 12
    if(CREMA_HAS_AVXVNNI)
      crema_isa(avx_vnni 2 "-mavx2 -mfma -mf16c -mbmi2 -mavxvnni" "${int8}")
    endif()
    set(avx512 "-mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512")
    crema_isa(avx512 3 "${avx512}" "${kernels}")
    crema_isa(avx512_vnni 4 "${avx512} -mavx512vnni" "${int8}")
    set(avx512_bf16 "${avx512} -mavx512vnni -mavx512bf16")
    crema_isa(avx512_bf16 5 "${avx512_bf16}" "${bf16}")
    check_cxx_compiler_flag(-mamx-int8 CREMA_HAS_AMX)  # GCC 11, Clang 12
    if(CREMA_HAS_AMX)
      set(tiles ${int8} ${bf16})
      list(REMOVE_DUPLICATES tiles)  # the probe of bytes is in both
      crema_isa(avx512_amx 6 "${avx512_bf16} -mamx-tile -mamx-int8 -mamx-bf16" "${tiles}")
    endif()
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    crema_isa(neon 1 "" "${kernels}")
    crema_isa(neon_dot 2 "-march=armv8.2-a+dotprod" "${int8}")
  endif()
  set(${result} ${CREMA_ISA_OBJECTS_COLLECTED} PARENT_SCOPE)
endfunction()
