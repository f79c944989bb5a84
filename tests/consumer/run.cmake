# Installs a build into a fresh prefix, moves it, and builds the consumer against what is there.
# Needs: BUILD_DIR, WORK_DIR, SOURCE_DIR, COMPILER, KIND (static, shared or pkg-config).
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/first)
file(RENAME ${WORK_DIR}/first ${WORK_DIR}/prefix)
set(ENV{LD_LIBRARY_PATH} ${WORK_DIR}/prefix/${LIBDIR})

if(KIND STREQUAL "pkg-config")
  set(ENV{PKG_CONFIG_PATH} ${WORK_DIR}/prefix/${LIBDIR}/pkgconfig)
  execute_process(COMMAND pkg-config --cflags --libs byway OUTPUT_VARIABLE flags
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags)
  run(${COMPILER} -std=c++20 ${SOURCE_DIR}/main.cpp -o ${WORK_DIR}/consumer ${flags})
  run(${WORK_DIR}/consumer)
  return()
endif()

set(shared OFF)
if(KIND STREQUAL "shared")
  set(shared ON)
endif()
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE_DIR} -B ${WORK_DIR}/build -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix -DBUILD_SHARED_LIBS=${shared} -DBYWAY_COMPONENTS=${KIND})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
run(${WORK_DIR}/build/consumer)
