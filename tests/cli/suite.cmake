# The command and the example programs, as a person runs them, against the stand-in server.
if(TARGET byway_cli AND TARGET byway_standin)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  foreach(name IN ITEMS cli bad_input keys limits audit_cli probe examples)
    add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE}
      ${PROJECT_SOURCE_DIR}/tests/cli/${name}_test.py)
    set_tests_properties(${name} PROPERTIES LABELS example TIMEOUT 300
      ENVIRONMENT "BYWAY_BIN_DIR=${PROJECT_BINARY_DIR}/bin;BYWAY_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
  endforeach()
endif()
