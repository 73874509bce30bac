/* How much memory what is stored takes, and may take. */
#ifndef KV_MEMORY_ROOM_H
#define KV_MEMORY_ROOM_H

#include <stdbool.h>
#include <stddef.h>

void room_set(size_t size);
/* False: there is no room for so many bytes more. */
bool room_take(size_t size);
/* The same for messages on their way in, which leave some: who deletes must write a little, too. */
bool room_take_for_message(size_t size);
void room_give(size_t size);

#endif
