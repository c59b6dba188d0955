# The unix port with weft's sockets in place of its own, and with a `select` that can sleep on them.
MICROPY_PY_SOCKET = 0

FROZEN_MANIFEST ?= $(VARIANT_DIR)/manifest.py
