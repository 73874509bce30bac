#ifndef MIME_OBJECT_H
#define MIME_OBJECT_H

#include <posthorn/value.h>

extern const struct ph_object_type message_type;

#endif
