# Install: headers, both libraries, the command, and what find_package and pkg-config read.
include(CMakePackageConfigHelpers)

# Default visibility in the objects, so that one set serves both libraries; the map closes the
# shared one.
target_link_options(byway_shared PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/byway.map"
  LINKER:-Bsymbolic-functions)
if(NOT BYWAY_SANITIZE)
  target_link_options(byway_shared PRIVATE LINKER:--no-undefined)
endif()
set_property(TARGET byway_shared APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/byway.map)
set_target_properties(byway_static PROPERTIES EXPORT_NAME byway_static)
set_target_properties(byway_shared PROPERTIES EXPORT_NAME byway_shared)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/byway)
# Two export sets: who links the shared library needs none of its dependencies' packages.
foreach(kind IN ITEMS static shared)
  install(TARGETS byway_${kind} EXPORT byway_${kind}_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT byway_${kind}_targets NAMESPACE byway:: FILE byway-${kind}-targets.cmake
    DESTINATION ${package_dir})
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/byway DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET byway_cli)
  install(TARGETS byway_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_file(${PROJECT_SOURCE_DIR}/cmake/byway-config.cmake.in byway-config.cmake @ONLY)
# Before 1.0 a minor version may break what compiled against the one before.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/byway-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/byway-config.cmake ${PROJECT_BINARY_DIR}/byway-config-version.cmake
  DESTINATION ${package_dir})

# Relative, so that an installed tree may be moved.
file(RELATIVE_PATH byway_prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/byway.pc.in byway.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/byway.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
