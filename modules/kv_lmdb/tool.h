/* The commands `posthorn store ...`. */
#ifndef KV_LMDB_TOOL_H
#define KV_LMDB_TOOL_H

#include <posthorn/tool.h>

extern const struct ph_tool store_tools[];

#endif
