/* The sub-commands; each returns the program's exit status. */
#ifndef MAILLOAD_COMMANDS_H
#define MAILLOAD_COMMANDS_H

int command_smtp(void);
int command_pop3(void);
int command_imap(void);
int command_fill(void);
int command_fetch(void);
int command_script(void);
int command_wait(void);
int command_idle(void);

#endif
