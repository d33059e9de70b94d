# Cross compilation for 64-bit ARM on Linux: cmake -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake. Debian and
# Ubuntu: apt-get install g++-aarch64-linux-gnu qemu-user; the tests run under the emulator.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
find_program(CREMA_EMULATOR NAMES qemu-aarch64 qemu-aarch64-static)
if(CREMA_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${CREMA_EMULATOR};-L;/usr/aarch64-linux-gnu")
endif()
