/* Switching stacks.
 *
 * makecontext() starts a stack; all later switches are _setjmp() and _longjmp(), which (other than
 * swapcontext()) make no system call. The fortified longjmp() takes a jump to another stack for an error, so
 * fortification is off in this file. Sanitizers and valgrind are told of each stack and of each switch. */
#undef _FORTIFY_SOURCE
#include <config.h>

#include "stack.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <posthorn/mem.h>

#ifdef PH_SANITIZE
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#define NOT_SANITIZED __attribute__((no_sanitize_address, noinline))
enum { STACK_SIZE = 1024 * 1024 };
#else
#define NOT_SANITIZED __attribute__((noinline))
enum { STACK_SIZE = 256 * 1024 };
#endif

#if defined(__has_include) && __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0u
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif

struct stack {
	char *mapping; /* the guard page, then the stack */
	size_t guard;
	void (*run)(struct stack *stack);
	bool begun;
	unsigned valgrind_id;
	void *fake_stack; /* AddressSanitizer's */
	jmp_buf here;
};

static jmp_buf loop_here;

#ifdef PH_SANITIZE
static const void *loop_bottom;
static size_t loop_size;
#endif

struct stack *stack_new(void (*run)(struct stack *stack))
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	char *mapping = mmap(NULL, guard + STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (mapping == MAP_FAILED)
		return NULL;
	if (mprotect(mapping, guard, PROT_NONE) != 0) {
		munmap(mapping, guard + STACK_SIZE);
		return NULL;
	}
	struct stack *stack = ph_alloc(sizeof(*stack));
	stack->mapping = mapping;
	stack->guard = guard;
	stack->run = run;
	stack->valgrind_id = VALGRIND_STACK_REGISTER(mapping + guard, mapping + guard + STACK_SIZE);
#ifdef PH_SANITIZE
	__lsan_register_root_region(mapping + guard, STACK_SIZE);
#endif
	return stack;
}

/* makecontext() passes ints only, so the pointer comes in two halves. */
NOT_SANITIZED static void begin(unsigned high, unsigned low)
{
	struct stack *stack = (struct stack *)((uintptr_t)high << 32 | low);
#ifdef PH_SANITIZE
	__sanitizer_finish_switch_fiber(NULL, &loop_bottom, &loop_size);
#endif
	stack->run(stack);
	abort();
}

NOT_SANITIZED static void enter_first(struct stack *stack)
{
	ucontext_t context;
	uintptr_t pointer = (uintptr_t)stack;
	stack->begun = true;
	getcontext(&context);
	context.uc_stack.ss_sp = stack->mapping + stack->guard;
	context.uc_stack.ss_size = STACK_SIZE;
	context.uc_link = NULL;
	makecontext(&context, (void (*)(void))begin, 2, (unsigned)(pointer >> 32), (unsigned)pointer);
	setcontext(&context);
	abort();
}

NOT_SANITIZED void stack_enter(struct stack *stack)
{
#ifdef PH_SANITIZE
	void *fake_stack;
	__sanitizer_start_switch_fiber(&fake_stack, stack->mapping + stack->guard, STACK_SIZE);
#endif
	if (_setjmp(loop_here) == 0) {
		if (!stack->begun)
			enter_first(stack);
		_longjmp(stack->here, 1);
	}
#ifdef PH_SANITIZE
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
}

NOT_SANITIZED void stack_leave(struct stack *stack, bool clean)
{
#ifdef PH_SANITIZE
	stack->fake_stack = NULL;
	__sanitizer_start_switch_fiber(clean ? NULL : &stack->fake_stack, loop_bottom, loop_size);
#else
	(void)clean;
#endif
	if (_setjmp(stack->here) == 0)
		_longjmp(loop_here, 1);
#ifdef PH_SANITIZE
	__sanitizer_finish_switch_fiber(stack->fake_stack, &loop_bottom, &loop_size);
#endif
}

void stack_free(struct stack *stack)
{
	VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#ifdef PH_SANITIZE
	__lsan_unregister_root_region(stack->mapping + stack->guard, STACK_SIZE);
	ASAN_UNPOISON_MEMORY_REGION(stack->mapping + stack->guard, STACK_SIZE);
#endif
	munmap(stack->mapping, stack->guard + STACK_SIZE);
	free(stack);
}
