/* The characters behind the names that HTML has for them: those of HTML 4, which are all that mail uses. */
#include "html_entity.h"

#include <stdlib.h>

/* 160 to 255, in their order. */
static const char *const latin[96] = { "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect",
	"uml", "copy", "ordf", "laquo", "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute",
	"micro", "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest",
	"Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute",
	"Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc",
	"Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig",
	"agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute",
	"ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc",
	"otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn",
	"yuml" };

/* 0x391 to 0x3C9, in their order; NULL where there is none. */
static const char *const greek[57] = { "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta",
	"Iota", "Kappa", "Lambda", "Mu", "Nu", "Xi", "Omicron", "Pi", "Rho", NULL, "Sigma", "Tau", "Upsilon",
	"Phi", "Chi", "Psi", "Omega", NULL, NULL, NULL, NULL, NULL, NULL, NULL, "alpha", "beta", "gamma",
	"delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "omicron",
	"pi", "rho", "sigmaf", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega" };

static const struct {
	const char *name;
	uint32_t character;
} others[] = {
	{ "amp", '&' },
	{ "lt", '<' },
	{ "gt", '>' },
	{ "quot", '"' },
	{ "apos", '\'' },
	{ "OElig", 0x152 },
	{ "oelig", 0x153 },
	{ "Scaron", 0x160 },
	{ "scaron", 0x161 },
	{ "Yuml", 0x178 },
	{ "fnof", 0x192 },
	{ "circ", 0x2C6 },
	{ "tilde", 0x2DC },
	{ "ensp", 0x2002 },
	{ "emsp", 0x2003 },
	{ "thinsp", 0x2009 },
	{ "zwnj", 0x200C },
	{ "zwj", 0x200D },
	{ "lrm", 0x200E },
	{ "rlm", 0x200F },
	{ "ndash", 0x2013 },
	{ "mdash", 0x2014 },
	{ "lsquo", 0x2018 },
	{ "rsquo", 0x2019 },
	{ "sbquo", 0x201A },
	{ "ldquo", 0x201C },
	{ "rdquo", 0x201D },
	{ "bdquo", 0x201E },
	{ "dagger", 0x2020 },
	{ "Dagger", 0x2021 },
	{ "bull", 0x2022 },
	{ "hellip", 0x2026 },
	{ "permil", 0x2030 },
	{ "prime", 0x2032 },
	{ "Prime", 0x2033 },
	{ "lsaquo", 0x2039 },
	{ "rsaquo", 0x203A },
	{ "oline", 0x203E },
	{ "frasl", 0x2044 },
	{ "euro", 0x20AC },
	{ "trade", 0x2122 },
	{ "larr", 0x2190 },
	{ "uarr", 0x2191 },
	{ "rarr", 0x2192 },
	{ "darr", 0x2193 },
	{ "harr", 0x2194 },
	{ "rArr", 0x21D2 },
	{ "hArr", 0x21D4 },
	{ "forall", 0x2200 },
	{ "part", 0x2202 },
	{ "exist", 0x2203 },
	{ "empty", 0x2205 },
	{ "isin", 0x2208 },
	{ "prod", 0x220F },
	{ "sum", 0x2211 },
	{ "minus", 0x2212 },
	{ "radic", 0x221A },
	{ "infin", 0x221E },
	{ "cap", 0x2229 },
	{ "cup", 0x222A },
	{ "int", 0x222B },
	{ "asymp", 0x2248 },
	{ "ne", 0x2260 },
	{ "equiv", 0x2261 },
	{ "le", 0x2264 },
	{ "ge", 0x2265 },
	{ "loz", 0x25CA },
	{ "spades", 0x2660 },
	{ "clubs", 0x2663 },
	{ "hearts", 0x2665 },
	{ "diams", 0x2666 },
};

/* "#233" or "#xE9"; what is no character becomes U+FFFD. Windows' characters are often meant by 128 to 159.
 */
static uint32_t numbered(const char *name)
{
	static const uint16_t windows[32] = { 0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021,
		0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D,
		0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178 };
	bool hex = name[1] == 'x' || name[1] == 'X';
	const char *digits = name + (hex ? 2 : 1);
	char *end;
	if (*digits == 0 || *digits == '-' || *digits == '+')
		return 0;
	unsigned long number = strtoul(digits, &end, hex ? 16 : 10);
	if (*end)
		return 0;
	if (number >= 128 && number < 160)
		return windows[number - 128];
	if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number < 0xE000))
		return 0xFFFD;
	return (uint32_t)number;
}

uint32_t html_entity(const char *name)
{
	if (name[0] == '#')
		return numbered(name);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].character;
	for (size_t i = 0; i < sizeof latin / sizeof *latin; i++)
		if (strcmp(latin[i], name) == 0)
			return (uint32_t)(160 + i);
	for (size_t i = 0; i < sizeof greek / sizeof *greek; i++)
		if (greek[i] && strcmp(greek[i], name) == 0)
			return (uint32_t)(0x391 + i);
	return 0;
}
