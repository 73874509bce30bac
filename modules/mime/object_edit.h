#ifndef MIME_OBJECT_EDIT_H
#define MIME_OBJECT_EDIT_H

#include <posthorn/lua.h>

/* Methods of `message`. */
int add_header_method(lua_State *L);
int insert_header_method(lua_State *L);
int change_header_method(lua_State *L);
int remove_header_method(lua_State *L);
int add_part_method(lua_State *L);
int replace_part_method(lua_State *L);

#endif
