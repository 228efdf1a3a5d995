# syncline_room(NAME
#   SOURCES a.cpp …        the room's code; each header stands beside its source
#   TESTS   a_test.cpp …   unit tests, one GoogleTest program per room: <NAME>_test
#   USES    core …         rooms this one may include: DESIGN's graph, held by tests/tidy
#   LINKS   OpenSSL::SSL … third-party libraries, visible to this room only
#   TEST_LINKS …           what only the tests need
#   APART                  its sources use one name for different things in different files: the
#                          sanitizers' builds, which compile several files of a core as one
#                          (CMAKE_UNITY_BUILD), compile these one by one
# )
# One static library per room: syncline_<NAME>, with '/' in NAME turned into '_'.
function(syncline_room NAME)
  cmake_parse_arguments(ROOM "APART" "" "SOURCES;TESTS;USES;LINKS;TEST_LINKS" ${ARGN})
  string(REPLACE "/" "_" target ${NAME})
  set(lib syncline_${target})
  if(ROOM_SOURCES)
    add_library(${lib} STATIC ${ROOM_SOURCES})
    set(scope PUBLIC)
    if(ROOM_APART OR NOT NAME IN_LIST SYNCLINE_CORES)
      set_target_properties(${lib} PROPERTIES UNITY_BUILD OFF)
    endif()
    target_link_libraries(${lib} PRIVATE ${ROOM_LINKS})
  else()
    add_library(${lib} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${lib} ${scope} syncline_settings)
  foreach(used IN LISTS ROOM_USES)
    string(REPLACE "/" "_" used_target ${used})
    target_link_libraries(${lib} ${scope} syncline_${used_target})
  endforeach()
  # Cores have no threads: ThreadSanitizer could find nothing in their tests.
  if(SYNCLINE_SANITIZE STREQUAL "thread" AND NAME IN_LIST SYNCLINE_CORES)
    set(ROOM_TESTS)
  endif()
  if(ROOM_TESTS AND NOT SYNCLINE_FUZZ)
    add_executable(${target}_test ${ROOM_TESTS})
    target_link_libraries(${target}_test PRIVATE
      ${lib} ${ROOM_LINKS} ${ROOM_TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main rapidcheck)
    set_target_properties(${target}_test PROPERTIES UNITY_BUILD OFF)
    # What is tested is built as it is shipped; the tests themselves need not be fast, but there.
    target_compile_options(${target}_test PRIVATE -O0)
    add_test(NAME ${target} COMMAND ${target}_test)
    set_tests_properties(${target} PROPERTIES LABELS unit TIMEOUT 600
      ENVIRONMENT "${SYNCLINE_TEST_ENVIRONMENT}")
  endif()
endfunction()
