# Warnings are errors; every target sees the same flags.
add_library(syncline_settings INTERFACE)
target_compile_options(syncline_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
target_include_directories(syncline_settings INTERFACE
  ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
# Standalone Asio, and nothing of it that was deprecated.
target_compile_definitions(syncline_settings INTERFACE
  ASIO_STANDALONE ASIO_NO_DEPRECATED SYNCLINE_VERSION="${PROJECT_VERSION}")
if(SYNCLINE_SANITIZE)
  add_compile_options(-fsanitize=${SYNCLINE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SYNCLINE_SANITIZE})
  if(SYNCLINE_SANITIZE MATCHES "undefined" AND NOT SYNCLINE_FUZZ)
    # Checks at every access that take half of the compiler's time. A null pointer crashes all the
    # same, and what lies beyond an object AddressSanitizer sees; the fuzz targets keep them all.
    add_compile_options(-fno-sanitize=null,alignment,vptr,object-size)
  endif()
  if(SYNCLINE_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences, which TSan does not see, stand beside mutexes, which it does.
    add_compile_options(-Wno-tsan)
  endif()
  if(SYNCLINE_SANITIZE STREQUAL "thread")
    set(SYNCLINE_TEST_ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
  endif()
endif()
# The memory of programs that run long or large: docs/decisions/0050. Sanitizers bring their own.
add_library(syncline_allocator INTERFACE)
if(NOT SYNCLINE_SANITIZE)
  find_library(TCMALLOC tcmalloc_minimal REQUIRED)
  target_link_libraries(syncline_allocator INTERFACE ${TCMALLOC})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely through inlined std::string and std::variant code.
  target_compile_options(syncline_settings INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
    -Wno-stringop-overread)
endif()
if(CMAKE_UNITY_BUILD)
  # Said of a hidden type only because its file is included by the file of the build.
  add_compile_options(-Wno-subobject-linkage)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  # One cache for every checkout: paths below this one count from it, whatever folder it stands in.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
