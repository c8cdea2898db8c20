# Compiler and link options that every target of ours shares, as one interface library.
add_library(devstack_options INTERFACE)
target_compile_features(devstack_options INTERFACE cxx_std_20)
target_compile_options(devstack_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns about moved-from coroutine frames and inlined std::string copies that are fine (GCC PR 105562, 105329).
  target_compile_options(devstack_options INTERFACE
    -fcoroutines -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer
    -Wno-mismatched-new-delete)
endif()
target_include_directories(devstack_options INTERFACE ${PROJECT_SOURCE_DIR})
# Asio and Beast are compiled once, in core/base/async/asio.cc and core/http/beast.cc, not in every file.
target_compile_definitions(devstack_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  FMT_HEADER_ONLY=0 SPDLOG_FMT_EXTERNAL)
target_link_libraries(devstack_options INTERFACE
  Boost::headers tl::expected fmt::fmt spdlog::spdlog Threads::Threads)
if(DEVSTACK_SANITIZE MATCHES thread)
  # Asio's fences are not what ThreadSanitizer understands; g++ says so with a warning of its own.
  target_compile_options(devstack_options INTERFACE -Wno-tsan)
endif()
if(DEVSTACK_SANITIZE)
  target_compile_options(devstack_options INTERFACE -fsanitize=${DEVSTACK_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(devstack_options INTERFACE -fsanitize=${DEVSTACK_SANITIZE})
endif()
if(DEVSTACK_FUZZ)
  # Coverage for libFuzzer, and the standard library's own checks. clang 14 cannot emit coroutines together with the
  # "function" and "vptr" checks; a double that no integer can hold is not among "undefined".
  target_compile_options(devstack_options INTERFACE
    -fsanitize=fuzzer-no-link,float-cast-overflow -fno-sanitize=function,vptr -fno-sanitize-recover=all)
  target_compile_definitions(devstack_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
