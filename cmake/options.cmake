# Switches of the build. A user of the library gets the library and the command line; developers use the presets.
option(BYWAY_BUILD_CLI "Build the byway command" ON)
option(BYWAY_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(BYWAY_BUILD_EXAMPLES "Build the example programs" ${PROJECT_IS_TOP_LEVEL})
option(BYWAY_BUILD_BENCH "Build the benchmarks under tests/bench" OFF)
option(BYWAY_BUILD_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(BYWAY_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
set(BYWAY_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize= (address,undefined or thread)")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(byway_options INTERFACE)
target_compile_features(byway_options INTERFACE cxx_std_20)
# g++ 12 reports overlaps in std::string that cannot be (GCC bug 105651).
target_compile_options(byway_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${BYWAY_WERROR}>:-Werror>)
target_compile_definitions(byway_options INTERFACE BYWAY_BUILDING)
if(BYWAY_SANITIZE)
  target_compile_options(byway_options INTERFACE -fsanitize=${BYWAY_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    # g++ 12 sees uninitialised members of std::function in instrumented code (gcc bug 105562).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(byway_options INTERFACE -fsanitize=${BYWAY_SANITIZE})
endif()

find_program(BYWAY_CCACHE ccache)
if(BYWAY_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BYWAY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${BYWAY_CCACHE})
endif()
