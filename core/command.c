/* Command tables: finding a row and running it. */
#include <config.h>

#include <posthorn/command.h>

#include <posthorn/str.h>

const struct ph_command *ph_command_find(const struct ph_command *table, struct ph_str name)
{
	for (const struct ph_command *row = table; row->name; row++)
		if (ph_str_case_eq(ph_str(row->name), name))
			return row;
	return NULL;
}

void ph_command_run(const struct ph_command *command, void *session, void *call)
{
	if (command->check && !command->check(session, call))
		return;
	if (command->hook && !command->hook(session, call))
		return;
	command->proceed(session, call);
}
