/* The command table, and the functions of its rows: each command's check, hook and proceed, in cmd_*.c. */
#ifndef SMTP_COMMANDS_H
#define SMTP_COMMANDS_H

#include <stdbool.h>

#include <posthorn/command.h>

extern const struct ph_command smtp_commands[];

bool hello_check(void *session, void *call);
void helo_proceed(void *session, void *call);
void ehlo_proceed(void *session, void *call);
bool mail_check(void *session, void *call);
bool mail_hook(void *session, void *call);
void mail_proceed(void *session, void *call);
bool rcpt_check(void *session, void *call);
bool rcpt_hook(void *session, void *call);
void rcpt_proceed(void *session, void *call);
bool data_check(void *session, void *call);
void data_proceed(void *session, void *call);
bool starttls_check(void *session, void *call);
void starttls_proceed(void *session, void *call);
bool auth_check(void *session, void *call);
void auth_proceed(void *session, void *call);
bool no_arguments_check(void *session, void *call);
void rset_proceed(void *session, void *call);
void noop_proceed(void *session, void *call);
void quit_proceed(void *session, void *call);
void help_proceed(void *session, void *call);
bool vrfy_check(void *session, void *call);
void vrfy_proceed(void *session, void *call);
void expn_proceed(void *session, void *call);

#endif
