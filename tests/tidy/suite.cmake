# The rules of the house that a program can hold; each is a test of its own.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(byway_tidy rule)
  add_test(NAME tidy_${rule} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/tidy/tidy.py
    ${rule} --source ${PROJECT_SOURCE_DIR} --build ${PROJECT_BINARY_DIR})
  set_tests_properties(tidy_${rule} PROPERTIES LABELS house SKIP_RETURN_CODE 77)
endfunction()

foreach(rule IN ITEMS includes names lengths registered secrets folder_map vendors named_tests)
  byway_tidy(${rule})
endforeach()
# What the compiler adds for a sanitizer is not ours to judge.
if(NOT BYWAY_SANITIZE)
  byway_tidy(symbols)
  byway_tidy(exports)
endif()
add_test(NAME tidy_errors_page COMMAND ${Python3_EXECUTABLE}
  ${PROJECT_SOURCE_DIR}/docs/guide/make_errors_page.py --check)
set_tests_properties(tidy_errors_page PROPERTIES LABELS house)
add_test(NAME tidy_finds_what_it_should COMMAND ${Python3_EXECUTABLE}
  ${PROJECT_SOURCE_DIR}/tests/tidy/tidy_test.py)
set_tests_properties(tidy_finds_what_it_should PROPERTIES LABELS house)
add_test(NAME tally_counts_what_it_should COMMAND ${Python3_EXECUTABLE}
  ${PROJECT_SOURCE_DIR}/tests/tally_test.py)
set_tests_properties(tally_counts_what_it_should PROPERTIES LABELS house)
# The page about clients and servers is made from files of the tree; making them again is a command.
foreach(part IN ITEMS compat real)
  add_test(NAME tidy_${part}_page COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/${part}/run
    --check)
  set_tests_properties(tidy_${part}_page PROPERTIES LABELS house)
endforeach()
add_test(NAME compat_judges_as_it_says COMMAND ${Python3_EXECUTABLE}
  ${PROJECT_SOURCE_DIR}/tests/compat/judge_test.py)
set_tests_properties(compat_judges_as_it_says PROPERTIES LABELS house)
