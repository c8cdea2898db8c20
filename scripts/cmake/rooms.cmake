# devstack_room(NAME [deps...]): core/NAME/*.cc as the static library room_NAME, linked to the rooms below it.
# What a room may include stands in core/layers.txt; the links here follow it.
function(devstack_room name)
  string(REPLACE "/" "_" target ${name})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/${name}/*.cc)
  if(NOT sources)
    add_library(room_${target} INTERFACE)
    set(kind INTERFACE)
  else()
    add_library(room_${target} STATIC ${sources})
    set(kind PUBLIC)
    devstack_precompile(room_${target})
  endif()
  target_link_libraries(room_${target} ${kind} devstack_options)
  foreach(dep ${ARGN})
    string(REPLACE "/" "_" room ${dep})
    if(TARGET room_${room})
      target_link_libraries(room_${target} ${kind} room_${room})
    else()
      target_link_libraries(room_${target} ${kind} ${dep})
    endif()
  endforeach()
endfunction()

# One precompiled header for the whole tree; sanitizer builds make their own from the same file.
function(devstack_precompile target)
  if(NOT TARGET devstack_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
    add_library(devstack_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
    target_link_libraries(devstack_pch PUBLIC devstack_options)
    target_precompile_headers(devstack_pch PRIVATE ${PROJECT_SOURCE_DIR}/scripts/cmake/pch.h)
    devstack_sum_precompiled()
  endif()
  target_precompile_headers(${target} REUSE_FROM devstack_pch)
  if(TARGET devstack_pch_sum)
    add_dependencies(${target} devstack_pch_sum)
  endif()
endfunction()

# A precompiled header names the folder that it was made in, so that no other checkout's ccache would know it. ccache
# (CCACHE_PCH_EXTSUM) takes the sum beside it instead: of all the text in it, system headers included. Flags are no part
# of it, for ccache counts those of each compilation itself.
function(devstack_sum_precompiled)
  if(NOT CCACHE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  set(header ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/devstack_pch.dir/cmake_pch.hxx.gch)
  set(definitions $<TARGET_PROPERTY:devstack_options,INTERFACE_COMPILE_DEFINITIONS>)
  string(JOIN " " preprocess ${CMAKE_CXX_COMPILER} -std=c++20 -fcoroutines -E -P
    "$<$<BOOL:${DEVSTACK_SANITIZE}>:-fsanitize=${DEVSTACK_SANITIZE}>"
    "-D$<JOIN:${definitions}, -D>" ${PROJECT_SOURCE_DIR}/scripts/cmake/pch.h)
  add_custom_command(OUTPUT ${header}.sum
    COMMAND bash -o pipefail -c "${preprocess} | sha256sum >${header}.sum"
    DEPENDS ${header} devstack_pch VERBATIM COMMENT "Summing the precompiled header")
  add_custom_target(devstack_pch_sum DEPENDS ${header}.sum)
endfunction()

# devstack_test(KIND ROOM [libs...]): tests/KIND/ROOM/*_test.cc as one GoogleTest program, each test known to CTest.
function(devstack_test kind room)
  string(REPLACE "/" "_" name ${room})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/${room}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  set(target ${kind}_${name}_test)
  add_executable(${target} ${sources})
  devstack_precompile(${target})
  target_link_libraries(${target} PRIVATE test_support ${ARGN} GTest::gmock GTest::gtest_main)
  # Only where it is used: a path among the flags makes a compilation useless to every other checkout's ccache.
  foreach(source ${sources})
    file(STRINGS ${source} uses REGEX "DEVSTACK_SOURCE_DIR" LIMIT_COUNT 1)
    if(uses)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS DEVSTACK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    endif()
  endforeach()
  set(properties LABELS ${kind} TIMEOUT 120)
  if(kind STREQUAL "integration")
    # They share one Docker engine, and some count its events.
    list(APPEND properties RESOURCE_LOCK outside)
  endif()
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
endfunction()
