/* Commands of the `posthorn` program: what they share, and the table of them. */
#ifndef STORE_TOOL_H
#define STORE_TOOL_H

#include <posthorn/store.h>
#include <posthorn/tool.h>

extern const struct ph_tool store_tools[];

/* The account of that address; else a message, and the exit code for it. */
int tool_find_account(const char *address, ph_account_id *id_r);

int quota_tool(int argc, char **argv);
int check_tool(int argc, char **argv);
int repair_tool(int argc, char **argv);
int restore_tool(int argc, char **argv);
int import_maildir_tool(int argc, char **argv);
int import_mbox_tool(int argc, char **argv);
int export_maildir_tool(int argc, char **argv);
int export_mbox_tool(int argc, char **argv);

#endif
