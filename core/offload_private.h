/* The end of the offload threads. */
#ifndef CORE_OFFLOAD_PRIVATE_H
#define CORE_OFFLOAD_PRIVATE_H

/* Lets the threads finish the jobs they have begun and joins them; part of ph_loop_free(). */
void offload_stop(void);

#endif
