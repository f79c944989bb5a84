# What must not compile. Each file is compiled twice: as it is, which must work, and with -DBAD,
# which must fail with the words after "expect:" in its first line.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB bad_programs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/compile_fail/*.cpp)
foreach(program IN LISTS bad_programs)
  get_filename_component(name ${program} NAME_WE)
  add_test(NAME compile_fail_${name} COMMAND ${Python3_EXECUTABLE}
    ${PROJECT_SOURCE_DIR}/tests/compile_fail/check.py ${CMAKE_CXX_COMPILER}
    ${PROJECT_SOURCE_DIR}/include ${program})
  set_tests_properties(compile_fail_${name} PROPERTIES LABELS house)
endforeach()

add_test(NAME headers_stand_alone COMMAND ${Python3_EXECUTABLE}
  ${PROJECT_SOURCE_DIR}/tests/compile_fail/headers.py ${CMAKE_CXX_COMPILER}
  ${PROJECT_SOURCE_DIR}/include)
set_tests_properties(headers_stand_alone PROPERTIES LABELS house)
