/* Names and bits are those of the LAN9118 data sheet (SMSC, revision 1.5), chapter 5. */
#include "lan9118.h"

#include "board.h"

#include <string.h>

struct registers {
    volatile uint32_t rx_data;
    uint32_t unused_04[7];
    volatile uint32_t tx_data;
    uint32_t unused_24[7];
    volatile uint32_t rx_status;
    volatile uint32_t rx_status_peek;
    volatile uint32_t tx_status;
    volatile uint32_t tx_status_peek;
    volatile uint32_t id_rev;
    volatile uint32_t irq_cfg;
    volatile uint32_t int_sts;
    volatile uint32_t int_en;
    uint32_t unused_60;
    volatile uint32_t byte_test;
    volatile uint32_t fifo_int;
    volatile uint32_t rx_cfg;
    volatile uint32_t tx_cfg;
    volatile uint32_t hw_cfg;
    volatile uint32_t rx_dp_ctl;
    volatile uint32_t rx_fifo_inf;
    volatile uint32_t tx_fifo_inf;
    volatile uint32_t pmt_ctrl;
    uint32_t unused_88[6];
    volatile uint32_t rx_drop;
    volatile uint32_t mac_csr_cmd;
    volatile uint32_t mac_csr_data;
};
_Static_assert(offsetof(struct registers, mac_csr_data) == 0xa8, "the registers' layout");
#define CHIP ((struct registers*)0x40200000)

enum { /* INT_STS, INT_EN */
       interrupt_rx_status = 1u << 3,
       interrupt_rx_dropped_half = 1u << 23,
       interrupt_phy = 1u << 18,
       wanted_interrupts = interrupt_rx_status | interrupt_phy,
};
enum { mac_control = 1, mac_address_high = 2, mac_address_low = 3, mac_mii = 6, mac_mii_data = 7 };
enum { phy_control = 0, phy_status = 1, phy_interrupts = 29, phy_interrupt_mask = 30 };
enum { phy_link_is_up = 1u << 2, phy_link_went = 1u << 4, phy_negotiated = 1u << 6 };
enum { checksum_size = 4, busy_polls = 100000 };

/* One producer, the interrupt handler, and one consumer, the program; both count words for ever.
 * A frame is its size and then its bytes in whole words. */
static uint32_t ring[LAN9118_RING_WORDS];
static volatile uint32_t ring_written;
static volatile uint32_t ring_taken;
_Static_assert((LAN9118_RING_WORDS & (LAN9118_RING_WORDS - 1)) == 0, "a power of two");

static volatile bool link_is_up;
static void (*tell)(void*);
static void* tell_argument;
volatile struct lan9118_counters lan9118_counters;

static bool mac_ready(void) {
    for (uint32_t i = 0; i != busy_polls; ++i) {
        if ((CHIP->mac_csr_cmd & 1u << 31) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t mac_read(uint32_t number) {
    CHIP->mac_csr_cmd = 1u << 31 | 1u << 30 | number;
    return mac_ready() ? CHIP->mac_csr_data : 0;
}

static void mac_write(uint32_t number, uint32_t value) {
    CHIP->mac_csr_data = value;
    CHIP->mac_csr_cmd = 1u << 31 | number;
    (void)mac_ready();
}

enum { mii_phy = 1u << 11, mii_write = 1u << 1, mii_busy = 1u << 0 };

static void mii_wait(void) {
    for (uint32_t i = 0; i != busy_polls && (mac_read(mac_mii) & mii_busy) != 0; ++i) {
    }
}

static uint32_t phy_read(uint32_t number) {
    mac_write(mac_mii, mii_phy | number << 6 | mii_busy);
    mii_wait();
    return mac_read(mac_mii_data);
}

static void phy_write(uint32_t number, uint32_t value) {
    mac_write(mac_mii_data, value);
    mac_write(mac_mii, mii_phy | number << 6 | mii_write | mii_busy);
    mii_wait();
}

static void look_at_link(void) {
    (void)phy_read(phy_interrupts); /* reading it clears it */
    (void)phy_read(phy_status);     /* the first says whether the link was ever down since */
    const bool up = (phy_read(phy_status) & phy_link_is_up) != 0;
    if (up != link_is_up) {
        link_is_up = up;
        ++lan9118_counters.link_changes;
    }
}

static bool reset_chip(void) {
    CHIP->hw_cfg = 1; /* SRST */
    for (uint32_t i = 0; i != busy_polls; ++i) {
        if ((CHIP->hw_cfg & 1u) == 0) {
            return CHIP->byte_test == 0x87654321;
        }
    }
    return false;
}

bool lan9118_start(const uint8_t address[6], void (*wake)(void*), void* argument) {
    if ((CHIP->id_rev >> 16) != 0x0118 || !reset_chip()) {
        return false;
    }
    tell = wake;
    tell_argument = argument;
    CHIP->hw_cfg = 1u << 20 | 5u << 16; /* store and forward; 5 KB to send, 10.5 KB received */
    CHIP->tx_cfg = 1u << 1;
    CHIP->rx_cfg = 0;

    uint32_t low = 0;
    memcpy(&low, address, 4);
    mac_write(mac_address_low, low);
    mac_write(mac_address_high, (uint32_t)address[4] | (uint32_t)address[5] << 8);

    phy_write(phy_control, 1u << 12 | 1u << 9); /* negotiate, from the start */
    phy_write(phy_interrupt_mask, phy_link_went | phy_negotiated);
    look_at_link();

    /* Both directions, full duplex, every multicast: the stack chooses. */
    mac_write(mac_control, 1u << 20 | 1u << 19 | 1u << 3 | 1u << 2);
    CHIP->fifo_int = 0; /* at the first status word, 64 of them from half its drops */
    CHIP->int_sts = UINT32_MAX;
    CHIP->int_en = wanted_interrupts;
    CHIP->irq_cfg = 1u << 8 | 1u << 4 | 1u << 0; /* on; active high; push-pull */
    board_enable_interrupt(interrupt_ethernet);
    return true;
}

/* Word by word. The controller can also skip a frame at once (RX_FFWD), but QEMU's model of that
 * loses its place: every later frame is then read from the middle of another. */
static void discard(uint32_t words) {
    while (words-- != 0) {
        (void)CHIP->rx_data;
    }
}

static void take_frame(void) {
    const uint32_t status = CHIP->rx_status;
    const uint32_t whole = status >> 16 & 0x3fff;
    const uint32_t words = (whole + 3) / 4;
    if ((status & 1u << 15) != 0 || whole <= checksum_size) {
        ++lan9118_counters.damaged;
        discard(words);
        return;
    }
    const uint32_t written = ring_written;
    if (LAN9118_RING_WORDS - (written - ring_taken) < words + 1) {
        ++lan9118_counters.ring_full;
        discard(words);
        return;
    }
    ring[written % LAN9118_RING_WORDS] = whole - checksum_size;
    for (uint32_t i = 1; i <= words; ++i) {
        ring[(written + i) % LAN9118_RING_WORDS] = CHIP->rx_data;
    }
    ++lan9118_counters.received;
    __asm volatile("dmb" ::: "memory");
    ring_written = written + words + 1;
}

void ethernet_handler(void);
void ethernet_handler(void) {
    const uint32_t why = CHIP->int_sts;
    CHIP->int_sts = why; /* before the frames are taken: a later one interrupts again */
    ++lan9118_counters.interrupts;
    if ((why & interrupt_phy) != 0) {
        look_at_link();
    }
    while ((CHIP->rx_fifo_inf >> 16 & 0xff) != 0) {
        take_frame();
    }
    lan9118_counters.fifo_overruns += CHIP->rx_drop; /* reading it clears it */
    tell(tell_argument);
}

bool lan9118_frame_waits(void) {
    return ring_taken != ring_written;
}

size_t lan9118_receive(void* into, size_t size) {
    while (lan9118_frame_waits()) {
        const uint32_t taken = ring_taken;
        __asm volatile("dmb" ::: "memory");
        const uint32_t frame = ring[taken % LAN9118_RING_WORDS];
        const uint32_t first = (taken + 1) % LAN9118_RING_WORDS;
        if (frame <= size) {
            const uint32_t until_end = (LAN9118_RING_WORDS - first) * 4;
            const uint32_t part = frame < until_end ? frame : until_end;
            memcpy(into, ring + first, part);
            memcpy((char*)into + part, ring, frame - part);
        }
        __asm volatile("dmb" ::: "memory");
        ring_taken = taken + 1 + (frame + checksum_size + 3) / 4;
        if (frame <= size) {
            return frame;
        }
    }
    return 0;
}

bool lan9118_send(const struct lan9118_part* parts, size_t count) {
    uint32_t size = 0;
    for (size_t i = 0; i != count; ++i) {
        size += parts[i].size;
    }
    while ((CHIP->tx_fifo_inf >> 16 & 0xff) != 0) {
        (void)CHIP->tx_status; /* how sending went: a cable does not tell either */
    }
    const uint32_t room = CHIP->tx_fifo_inf & 0xffff;
    if (!link_is_up || size > lan9118_longest_frame || room < size + 16) {
        ++lan9118_counters.send_drops;
        return false;
    }
    CHIP->tx_data = 1u << 13 | 1u << 12 | size; /* its first and last segment */
    CHIP->tx_data = size;
    uint32_t word = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i != count; ++i) {
        const uint8_t* bytes = parts[i].bytes;
        const uint8_t* const end = bytes + parts[i].size;
        if (bits == 0) {
            for (; end - bytes >= 4; bytes += 4) {
                memcpy(&word, bytes, 4);
                CHIP->tx_data = word;
            }
            word = 0;
        }
        for (; bytes != end; ++bytes) {
            word |= (uint32_t)*bytes << bits;
            bits += 8;
            if (bits == 32) {
                CHIP->tx_data = word;
                word = 0;
                bits = 0;
            }
        }
    }
    if (bits != 0) {
        CHIP->tx_data = word;
    }
    ++lan9118_counters.sent;
    return true;
}

bool lan9118_link_up(void) {
    return link_is_up;
}
