/* Room. See room.h. */
#include <config.h>

#include "room.h"

/* Of the whole. */
#define KEPT_FRACTION 16

static size_t limit, taken;

void room_set(size_t size)
{
	limit = size;
	taken = 0;
}

bool room_take(size_t size)
{
	if (size > limit - taken)
		return false;
	taken += size;
	return true;
}

bool room_take_for_message(size_t size)
{
	size_t kept = limit / KEPT_FRACTION;

	return taken <= limit - kept && size <= limit - kept - taken && room_take(size);
}

void room_give(size_t size)
{
	taken -= size;
}
