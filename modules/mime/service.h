#ifndef MIME_SERVICE_H
#define MIME_SERVICE_H

#include <posthorn/mime.h>

extern const struct ph_mime_service mime_service;

#endif
