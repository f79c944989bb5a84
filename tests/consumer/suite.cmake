# find_package and pkg-config, as a stranger's project uses them. Not under the sanitizers, whose
# flags a stranger's project would not have.
if(NOT BYWAY_SANITIZE)
  foreach(kind IN ITEMS static shared pkg-config)
    add_test(NAME consumer_${kind} COMMAND ${CMAKE_COMMAND} -DKIND=${kind}
      -DBUILD_DIR=${PROJECT_BINARY_DIR} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}/tests/consumer
      -DWORK_DIR=${PROJECT_BINARY_DIR}/consumer/${kind} -DCOMPILER=${CMAKE_CXX_COMPILER}
      -DLIBDIR=${CMAKE_INSTALL_LIBDIR} -P ${PROJECT_SOURCE_DIR}/tests/consumer/run.cmake)
    set_tests_properties(consumer_${kind} PROPERTIES LABELS house)
  endforeach()
endif()
