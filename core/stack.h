/* Stacks that code can leave in the middle and be entered again: what fibers run on. */
#ifndef CORE_STACK_H
#define CORE_STACK_H

#include <stdbool.h>

struct stack;

/* A stack on which run(stack) will begin when it is entered first; `run` never returns. NULL when the system
 * gives no more memory. */
struct stack *stack_new(void (*run)(struct stack *stack));
/* From the loop: goes on where the stack was left, until it is left again. */
void stack_enter(struct stack *stack);
/* On the stack: goes back to the loop. `clean` says that nothing of value lies on the stack (it may be
 * entered again or freed). */
void stack_leave(struct stack *stack, bool clean);
void stack_free(struct stack *stack);

#endif
