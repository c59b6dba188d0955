/* lwIP for tests/firmware/hardship.py: the profile `small`, with fewer pcbs and a heap that a few
 * peers can exhaust, TIME_WAIT and a closed window's end soon enough to wait for, all counters. */
#undef MEMP_NUM_TCP_PCB
#define MEMP_NUM_TCP_PCB 8
#undef MEM_SIZE
#define MEM_SIZE (16 * 1024)
#define TCP_MSL 1000
#define WEFT_LWIP_CLOSED_WINDOW 10000
#undef LWIP_STATS
#define LWIP_STATS 1
#define LWIP_STATS_LARGE 1
