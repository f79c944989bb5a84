# The wire player: a program that plays transcripts, and the test that runs each of them.
find_package(ZLIB REQUIRED)
set(player_folder ${CMAKE_CURRENT_LIST_DIR})
add_library(byway_wire_player STATIC ${player_folder}/macros.cpp ${player_folder}/player.cpp
  ${player_folder}/record_checks.cpp ${player_folder}/request_checks.cpp
  ${player_folder}/transcript_reader.cpp)
target_link_libraries(byway_wire_player PUBLIC byway_test_support simdjson::simdjson
  PRIVATE ZLIB::ZLIB)

add_executable(wire_player ${player_folder}/main.cpp ${player_folder}/run_list.cpp)
set_target_properties(wire_player PROPERTIES OUTPUT_NAME wire-player)
target_include_directories(wire_player PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(wire_player PRIVATE byway_wire_player byway_base)

if(TARGET byway_cli)
  # The record is written by the command's own code, whichever way a call is made.
  add_executable(wire_player_tests ${player_folder}/transcripts_test.cpp
    ${player_folder}/call_router.cpp ${player_folder}/call_command.cpp
    ${PROJECT_SOURCE_DIR}/src/cli/call_record.cpp ${PROJECT_SOURCE_DIR}/src/cli/json.cpp)
  target_include_directories(wire_player_tests PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(wire_player_tests PRIVATE byway_catch byway_wire_player byway_static
    fmt::fmt)
  target_compile_definitions(wire_player_tests PRIVATE
    BYWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}" BYWAY_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  add_dependencies(wire_player_tests byway_cli)
  add_test(NAME wire_player COMMAND wire_player_tests)
  set_tests_properties(wire_player PROPERTIES TIMEOUT 600)
endif()
