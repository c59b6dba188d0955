/* Vectors, reset, and what is said when the processor faults. */
#include "board.h"

#include <stdbool.h>

extern uint32_t stack_begin[], stack_end[], data_begin[], data_end[], bss_begin[], bss_end[];
extern const uint32_t data_image[];
extern void (*const init_array_begin[])(void);
extern void (*const init_array_end[])(void);

int main(void);
void reset_handler(void);
void fault_handler(void);

/* An interrupt that nobody handles is a fault of the program. */
#define OTHERWISE_A_FAULT __attribute__((weak, alias("fault_handler")))
void OTHERWISE_A_FAULT nmi_handler(void);
void OTHERWISE_A_FAULT svc_handler(void);
void OTHERWISE_A_FAULT pendsv_handler(void);
void OTHERWISE_A_FAULT systick_handler(void);
void OTHERWISE_A_FAULT uart0_receive_handler(void);
void OTHERWISE_A_FAULT timer0_handler(void);
void OTHERWISE_A_FAULT ethernet_handler(void);

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[16 + 32] = {
    [0] = (vector)(uintptr_t)stack_end,
    [1] = reset_handler,
    [2] = nmi_handler,
    [3] = fault_handler, /* hard fault */
    [4] = fault_handler, /* memory management */
    [5] = fault_handler, /* bus */
    [6] = fault_handler, /* usage */
    [11] = svc_handler,
    [14] = pendsv_handler,
    [15] = systick_handler,
    [16 + interrupt_uart0_receive] = uart0_receive_handler,
    [17 ... 16 + interrupt_timer0 - 1] = fault_handler,
    [16 + interrupt_timer0] = timer0_handler,
    [16 + interrupt_timer0 + 1 ... 16 + interrupt_ethernet - 1] = fault_handler,
    [16 + interrupt_ethernet] = ethernet_handler,
    [16 + interrupt_ethernet + 1 ... 47] = fault_handler,
};

/* System control block, Armv7-M Architecture Reference Manual B3.2. */
#define SCB_VTOR (*(volatile uint32_t*)0xe000ed08)
#define SCB_CCR (*(volatile uint32_t*)0xe000ed14)
#define SCB_CFSR (*(volatile uint32_t*)0xe000ed28)
#define SCB_MMFAR (*(volatile uint32_t*)0xe000ed34)
#define SCB_BFAR (*(volatile uint32_t*)0xe000ed38)
#define SCB_CPACR (*(volatile uint32_t*)0xe000ed88)
#define MPU_TYPE (*(volatile uint32_t*)0xe000ed90)
#define MPU_CTRL (*(volatile uint32_t*)0xe000ed94)
#define MPU_RBAR (*(volatile uint32_t*)0xe000ed9c)
#define MPU_RASR (*(volatile uint32_t*)0xe000eda0)
#define NVIC_ISER (*(volatile uint32_t*)0xe000e100)

/* A stack that grows out of the RAM must fault; QEMU's boards swallow what is written below it.
 * Nobody may touch the 256 MB there. */
static void guard_stack(void) {
    if ((MPU_TYPE >> 8 & 0xff) != 0) {
        MPU_RBAR = 0x10000000u | 1u << 4;
        MPU_RASR = 1u << 28 | 27u << 1 | 1u;
        MPU_CTRL = 1u << 2 | 1u; /* all else as without */
        __asm volatile("dsb\n\tisb" ::: "memory");
    }
}

static void start_processor(void) {
    guard_stack();
#if defined(__ARM_FP)
    SCB_CPACR |= 0xfu << 20; /* the floating point unit */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
#if __ARM_ARCH >= 7
    SCB_CCR |= 1u << 4; /* a division by zero faults */
#endif
}

__attribute__((noreturn)) void reset_handler(void) {
    start_processor();
    const uint32_t* from = data_image;
    for (uint32_t* to = data_begin; to != data_end;) {
        *to++ = *from++;
    }
    for (uint32_t* to = bss_begin; to != bss_end;) {
        *to++ = 0;
    }
    for (void (*const* each)(void) = init_array_begin; each != init_array_end; ++each) {
        (*each)();
    }
    board_exit(main());
}

void board_enable_interrupt(unsigned number) {
    NVIC_ISER = 1u << number;
}

static void print_word(const char* name, uint32_t value) {
    char digits[11] = "0x";
    for (int i = 0; i != 8; ++i) {
        digits[2 + i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    }
    board_puts(name);
    board_write(digits, 10);
}

static const char* exception_name(uint32_t number) {
    static const char* const names[] = {"no exception", "reset",     "NMI",        "hard fault",
                                        "memory fault", "bus fault", "usage fault"};
    if (number < sizeof names / sizeof *names) {
        return names[number];
    }
    return number < 16 ? "exception without a handler" : "interrupt without a handler";
}

#if __ARM_ARCH >= 7
/* Of the bits of CFSR those that a program's mistake sets. */
static const struct {
    uint8_t bit;
    const char* text;
} reasons[] = {
    {0, ", no instructions there"},
    {8, ", no instructions there"},
    {1, ", no access to data"},
    {9, ", nothing to read or write there"},
    {10, ", nothing to write there, some instructions ago"},
    {16, ", an undefined instruction"},
    {17, ", a call of what is no code"},
    {19, ", no such coprocessor"},
    {24, ", an address that is not aligned"},
    {25, ", a division by zero"},
};
#endif

/* What the processor pushed when it took the exception. */
struct exception_frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

void report_fault(const struct exception_frame* at);
__attribute__((used, noreturn)) void report_fault(const struct exception_frame* at) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    board_puts("\nfault: ");
    board_puts(exception_name(number));
    if (number >= 16) {
        print_word(" ", number - 16);
    }
    if ((uintptr_t)at < (uintptr_t)stack_begin || (uintptr_t)(at + 1) > (uintptr_t)stack_end) {
        board_puts(", the stack is used up");
    } else {
        print_word(" at pc ", at->pc);
        print_word(", called from ", at->lr);
    }
#if __ARM_ARCH >= 7
    const uint32_t why = SCB_CFSR;
    print_word(", cfsr ", why);
    for (unsigned i = 0; i != sizeof reasons / sizeof *reasons; ++i) {
        if (why & 1u << reasons[i].bit) {
            board_puts(reasons[i].text);
        }
    }
    if (why & 1u << 7) {
        print_word(", address ", SCB_MMFAR);
    }
    if (why & 1u << 15) {
        print_word(", address ", SCB_BFAR);
    }
#endif
    board_puts("\n");
    board_exit(60);
}

/* Onto a stack of its own: the fault may be that the other one is full. */
extern uint32_t fault_stack[64]; /* not static: LTO does not see that the assembly names them */
uint32_t fault_stack[64] __attribute__((aligned(8), used));
__attribute__((naked)) void fault_handler(void) {
    __asm volatile("mrs r0, msp\n\t"
                   "ldr r1, =fault_stack + 256\n\t"
                   "msr msp, r1\n\t"
                   "ldr r1, =report_fault\n\t"
                   "bx r1\n\t"
                   ".ltorg");
}
