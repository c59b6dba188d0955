# weft's sockets as a user C module, for ports that are built with CMake:
#
#     cmake -DUSER_C_MODULES=<weft>/facade/micropython/weft/micropython.cmake -DWEFT_LIBS="..."
#
# WEFT_LIBS are the archives of weft's core, built for the same processor without exceptions.
add_library(usermod_weft INTERFACE)

target_sources(usermod_weft INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/addresses.c
    ${CMAKE_CURRENT_LIST_DIR}/modselect.c
    ${CMAKE_CURRENT_LIST_DIR}/modnetwork.c
    ${CMAKE_CURRENT_LIST_DIR}/modsocket.c
    ${CMAKE_CURRENT_LIST_DIR}/names.c
    ${CMAKE_CURRENT_LIST_DIR}/sleeping.c
    ${CMAKE_CURRENT_LIST_DIR}/socket_bytes.c
    ${CMAKE_CURRENT_LIST_DIR}/socket_object.c
    ${CMAKE_CURRENT_LIST_DIR}/socket_tls.c
    ${CMAKE_CURRENT_LIST_DIR}/waiting.c
)

target_include_directories(usermod_weft INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../..)
target_link_libraries(usermod_weft INTERFACE ${WEFT_LIBS})
target_link_libraries(usermod INTERFACE usermod_weft)
