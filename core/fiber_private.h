/* What the loop does with fibers. */
#ifndef CORE_FIBER_PRIVATE_H
#define CORE_FIBER_PRIVATE_H

#include <stdbool.h>

/* Runs all fibers that are ready now; those which become ready meanwhile wait for the next call. */
void fiber_run_ready(void);
bool fiber_any_ready(void);
/* Frees all fibers, whatever they are doing. From the loop only. */
void fiber_free_all(void);

#endif
