/* Where the program finds what belongs to it: in the tree it was built in, or where it was installed. */
#ifndef POSTHORN_PATHS_H
#define POSTHORN_PATHS_H

/* The program's own file, for starting itself again. */
const char *paths_program(void);
/* The folder of module NAME.so files. */
const char *paths_modules(void);
/* The folder of the Lua library and the ready-made policies. */
const char *paths_scripts(void);
/* The folder of configuration templates. */
const char *paths_templates(void);

#endif
