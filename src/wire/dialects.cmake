# Compiles src/wire/dialects/*.json into the library, so that a preset is data and nothing else.
file(GLOB dialect_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/dialects/*.json)
list(SORT dialect_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${dialect_files})

set(rows "")
foreach(dialect_file IN LISTS dialect_files)
  get_filename_component(dialect_name ${dialect_file} NAME_WE)
  file(READ ${dialect_file} dialect_json)
  string(STRIP "${dialect_json}" dialect_json)
  string(APPEND rows "    {\"${dialect_name}\", R\"json(${dialect_json})json\"},\n")
endforeach()

set(dialect_source ${CMAKE_CURRENT_BINARY_DIR}/dialect_texts.cpp)
file(CONFIGURE OUTPUT ${dialect_source} @ONLY CONTENT [=[
// Made by src/wire/dialects.cmake from src/wire/dialects/*.json.
#include "wire/dialect_texts.hpp"

namespace byway::wire {
namespace {

constexpr DialectText texts[] = {
@rows@};

}  // namespace

std::span<const DialectText> dialect_texts() noexcept { return texts; }

}  // namespace byway::wire
]=])
target_sources(byway_wire PRIVATE ${dialect_source})
