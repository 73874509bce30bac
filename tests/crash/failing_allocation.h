/* The program's nth allocation fails. The linker puts these functions in the place of calloc and realloc
 * (--wrap), from which all of the program's memory comes (core/mem.c). */
#ifndef FAILING_ALLOCATION_H
#define FAILING_ALLOCATION_H

#include <stdbool.h>

/* Of those that the first thread of the process makes, or of those that its others make, together; 1 is the
 * next. */
void failing_allocation_arm(bool first_thread, unsigned nth);

#endif
