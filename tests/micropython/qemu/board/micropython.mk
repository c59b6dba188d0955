# The board's part of weft, as a user C module because ports/qemu has no other place for it.
SRC_USERMOD_C += $(USERMOD_DIR)/board.c
CFLAGS_USERMOD += -I$(USERMOD_DIR)
LDFLAGS_USERMOD += -Wl,-T,$(USERMOD_DIR)/discard.ld -Wl,--wrap=uart_rx_chr
