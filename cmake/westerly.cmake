# The build's few words: westerly_room, westerly_program, westerly_folder_program, westerly_allocator, westerly_term,
# westerly_test_folder.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(RapidJSON REQUIRED)
find_package(mimalloc REQUIRED)
find_package(ZLIB REQUIRED)
# The simulator's linear programs; clp.pc would ask for the development halves of LAPACK and bzip2, too.
find_library(CLP_LIBRARY Clp REQUIRED)
find_path(CLP_INCLUDE_DIR coin/Clp_C_Interface.h REQUIRED)
add_library(clp INTERFACE)
target_include_directories(clp SYSTEM INTERFACE ${CLP_INCLUDE_DIR} ${CLP_INCLUDE_DIR}/coin)
target_link_libraries(clp INTERFACE ${CLP_LIBRARY})
find_package(GTest QUIET)  # for tests only; tests/ asks for it aloud

# What every program is built with, and what all but those that run foreign libraries have on top: sanitizers.
add_library(westerly_language INTERFACE)
target_compile_options(westerly_language INTERFACE -Wall -Wextra -Wpedantic -Werror -Wnon-virtual-dtor -Woverloaded-virtual
                                                   -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns falsely inside its own std::string and optional at -O2 (GCC bugs 105329, 105562).
  target_compile_options(westerly_language INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
                                                     -Wno-array-bounds -Wno-dangling-pointer)
endif()
target_include_directories(westerly_language INTERFACE ${CMAKE_SOURCE_DIR})
add_library(westerly_options INTERFACE)
set(WESTERLY_SANITIZE "" CACHE STRING "'address' (with undefined) or 'thread'; empty for none")
if(WESTERLY_SANITIZE STREQUAL "address")
  target_compile_options(westerly_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                    -fno-sanitize=vptr,null,alignment,object-size,pointer-overflow
                                                    -fno-omit-frame-pointer)
  target_link_options(westerly_options INTERFACE -fsanitize=address,undefined)
elseif(WESTERLY_SANITIZE STREQUAL "thread")
  target_compile_options(westerly_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(westerly_options INTERFACE -fsanitize=thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(westerly_options INTERFACE -Wno-tsan)  # Asio's fences
  endif()
endif()
find_program(MOLD mold)
if(MOLD AND NOT WESTERLY_SANITIZE)
  target_link_options(westerly_options INTERFACE -fuse-ld=mold)
endif()
target_link_libraries(westerly_options INTERFACE westerly_language Threads::Threads)

add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
target_compile_definitions(rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)

# Asio and Beast are compiled once, each in one file.
add_library(westerly_asio STATIC cmake/asio.cpp)
target_compile_definitions(westerly_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                                                BOOST_ASIO_DISABLE_BOOST_REGEX)
target_link_libraries(westerly_asio PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto PRIVATE westerly_options)
add_library(westerly_beast STATIC cmake/beast.cpp)
target_compile_definitions(westerly_beast PUBLIC BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(westerly_beast PUBLIC westerly_asio Boost::url PRIVATE westerly_options)

# Schemas, migrations and facts travel inside the binary: broker/support/embedded.hpp gives them out by name.
file(GLOB WESTERLY_EMBEDDED CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*.json ${CMAKE_SOURCE_DIR}/schema/sql/*.sql
                                              ${CMAKE_SOURCE_DIR}/schema/facts/*.json ${CMAKE_SOURCE_DIR}/policies/*.json)
set(embedded_cpp ${CMAKE_BINARY_DIR}/generated/embedded.cpp)
add_custom_command(OUTPUT ${embedded_cpp}
  COMMAND ${CMAKE_COMMAND} "-DOUT=${embedded_cpp}" "-DROOT=${CMAKE_SOURCE_DIR}" "-DFILES=${WESTERLY_EMBEDDED}"
          -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${WESTERLY_EMBEDDED} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
add_library(westerly_embedded STATIC ${embedded_cpp})
set_source_files_properties(${embedded_cpp} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)  # openapi.json
target_link_libraries(westerly_embedded PRIVATE westerly_options)

# Precompiled headers: each is made once, by an empty library that the others borrow it from.
option(WESTERLY_PCH "Use precompiled headers" ON)
if(WESTERLY_PCH)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(westerly_options INTERFACE -fpch-preprocess)  # ccache asks for it
  endif()
  set(empty_cpp ${CMAKE_BINARY_DIR}/generated/empty.cpp)
  if(NOT EXISTS ${empty_cpp})
    file(WRITE ${empty_cpp} "")
  endif()
  foreach(kind core asio beast test)
    if(kind STREQUAL "test" AND NOT GTest_FOUND)
      continue()
    endif()
    add_library(westerly_pch_${kind} OBJECT ${empty_cpp})
    target_link_libraries(westerly_pch_${kind} PRIVATE westerly_options)
    target_precompile_headers(westerly_pch_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch/${kind}.hpp)
  endforeach()
  target_link_libraries(westerly_pch_asio PRIVATE westerly_asio)
  target_link_libraries(westerly_pch_beast PRIVATE westerly_beast)
  if(GTest_FOUND)
    target_link_libraries(westerly_pch_test PRIVATE GTest::gmock GTest::gtest_main)
  endif()
endif()

# Gives a target the precompiled header that fits what it links.
function(westerly_precompile target links)
  if(NOT WESTERLY_PCH)
    return()
  endif()
  set(kind core)
  foreach(one asio beast)
    if("westerly_${one}" IN_LIST links)
      set(kind ${one})
    endif()
  endforeach()
  if("GTest::gtest_main" IN_LIST links)
    set(kind test)
  endif()
  target_precompile_headers(${target} REUSE_FROM westerly_pch_${kind})
endfunction()

function(westerly_room name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp ${CMAKE_SOURCE_DIR}/${folder}/sqlite/*.cpp)
  if(sources)
    add_library(westerly_${name} STATIC ${sources})
    target_link_libraries(westerly_${name} ${ARGN} PRIVATE westerly_options)
    westerly_precompile(westerly_${name} "${ARGN}")
  else()
    add_library(westerly_${name} INTERFACE)
    string(REPLACE "PUBLIC" "INTERFACE" links "${ARGN}")
    string(REPLACE "PRIVATE" "INTERFACE" links "${links}")
    target_link_libraries(westerly_${name} ${links})
  endif()
endfunction()

function(westerly_program name source)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${source})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE westerly_options ${ARGN})
  endif()
endfunction()

function(westerly_folder_program name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  if(sources)
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE westerly_options ${ARGN})
    westerly_precompile(${name} "${ARGN}")
  endif()
endfunction()

# mimalloc in place of glibc's. Sanitizers have an allocator of their own.
function(westerly_allocator program)
  if(TARGET ${program} AND NOT WESTERLY_SANITIZE)
    target_link_libraries(${program} PRIVATE -Wl,--push-state,--no-as-needed mimalloc -Wl,--pop-state)
  endif()
endfunction()

# A library of the C ABI of policies/sdk, as its author would build it: plain C, that header, nothing else.
function(westerly_term name source)
  add_library(term_${name} MODULE ${CMAKE_SOURCE_DIR}/${source})
  target_include_directories(term_${name} PRIVATE ${CMAKE_SOURCE_DIR}/policies/sdk)
  target_compile_options(term_${name} PRIVATE -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden)
  set_target_properties(term_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} C_STANDARD 11
                                                LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/terms)
endfunction()

# One GoogleTest program of all *.cpp of a folder under tests/.
function(westerly_test_folder name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cpp)
  if(sources)
    add_executable(test_${name} ${sources})
    target_link_libraries(test_${name} PRIVATE westerly_options ${ARGN} GTest::gmock GTest::gtest_main)
    westerly_precompile(test_${name} "GTest::gtest_main")
    target_compile_definitions(test_${name} PRIVATE WESTERLY_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                    WESTERLY_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
