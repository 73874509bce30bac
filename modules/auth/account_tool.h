/* The commands `posthorn account ...`. */
#ifndef AUTH_ACCOUNT_TOOL_H
#define AUTH_ACCOUNT_TOOL_H

#include <posthorn/tool.h>

extern const struct ph_tool account_tools[];

/* In the module's init: looks up the store. */
void account_tool_init(void);

#endif
