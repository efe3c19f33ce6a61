# SPDX-License-Identifier: MIT
# One helper per kind of target. A target exposes only its own include/ folder and links only the neighbours that it names, so that
# an include across a forbidden arrow does not compile.

# Warnings, sanitizers and the conventions that hold for every target of the project.
function(snarl_defaults target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -fno-common $<$<BOOL:${SNARL_WERROR}>:-Werror>)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
endfunction()

function(snarl_sanitize target)
  if(SNARL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SNARL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${SNARL_SANITIZE})
  endif()
endfunction()

# snarl_static(NAME SOURCES ... [INCLUDE dir] [PUBLIC libs...] [PRIVATE libs...]): a static library of our own executables.
function(snarl_static target)
  cmake_parse_arguments(ARG "" "INCLUDE" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${target} STATIC ${ARG_SOURCES})
  if(ARG_INCLUDE)
    target_include_directories(${target} PUBLIC ${ARG_INCLUDE})
  endif()
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  snarl_defaults(${target})
  snarl_sanitize(${target})
endfunction()

# snarl_shared(...): the same for a shared library that is loaded into strangers' programs. Never sanitized by SNARL_SANITIZE: it
# lives in programs that are not.
function(snarl_shared target)
  cmake_parse_arguments(ARG "" "INCLUDE" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${target} SHARED ${ARG_SOURCES})
  if(ARG_INCLUDE)
    target_include_directories(${target} PUBLIC ${ARG_INCLUDE})
  endif()
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_compile_options(${target} PRIVATE -O2 -fno-omit-frame-pointer -ftls-model=initial-exec -fno-semantic-interposition)
  set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden INSTALL_RPATH "$ORIGIN")
  snarl_defaults(${target})
endfunction()
