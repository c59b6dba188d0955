# weft's sockets as a user C module: make USER_C_MODULES=<weft>/facade/micropython WEFT_BUILD=<dir>
#
# WEFT_BUILD is a Meson build directory of weft that was set up with -Dexceptions=false; or WEFT_LIBS
# says what to link. README.md beside this folder tells what a port sets.
WEFT_MOD_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(WEFT_MOD_DIR)/, \
	addresses.c \
	modselect.c \
	modnetwork.c \
	modsocket.c \
	names.c \
	sleeping.c \
	socket_bytes.c \
	socket_object.c \
	socket_tls.c \
	waiting.c \
	)

CFLAGS_USERMOD += -I$(WEFT_MOD_DIR)/../..

ifneq ($(WEFT_BUILD),)
WEFT_LIBS ?= $(shell PKG_CONFIG_PATH=$(WEFT_BUILD)/meson-uninstalled pkg-config --libs --static weft-usocket) -lstdc++
endif
LDFLAGS_USERMOD += $(WEFT_LIBS)
