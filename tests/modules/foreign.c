/* Made for another Posthorn; which difference it has is chosen when it is compiled. */
#include <posthorn/module.h>

#ifdef FOREIGN_NAME
#define NAME "another"
#define ABI PH_MODULE_ABI
#elif defined(FOREIGN_NUMBER)
#define NAME "foreign_number"
#define ABI                                                                        \
	{                                                                          \
		PH_MODULE_MAGIC, 99, sizeof(struct ph_module), PH_MODULE_SIGNATURE \
	}
#elif defined(FOREIGN_SIZE)
#define NAME "foreign_size"
#define ABI                                                                   \
	{                                                                     \
		PH_MODULE_MAGIC, PH_MODULE_ABI_NUMBER, 8, PH_MODULE_SIGNATURE \
	}
#elif defined(FOREIGN_SIGNATURE)
#define NAME "foreign_signature"
#define ABI                                                                                      \
	{                                                                                        \
		PH_MODULE_MAGIC, PH_MODULE_ABI_NUMBER, sizeof(struct ph_module), "other options" \
	}
#else
#define NAME "foreign"
#define ABI                   \
	{                     \
		0, 0, 0, NULL \
	}
#endif

const struct ph_module ph_module = {
	.abi = ABI,
	.name = NAME,
	.summary = "Cannot be used.",
};
