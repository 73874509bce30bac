/* Dates of the calendar as day numbers, and the date-time of RFC 3501 as text. Pure. */
#ifndef IMAP_DATES_H
#define IMAP_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <posthorn/str.h>

#define DATE_TIME_SIZE 40

/* 1..12 for "Jan".."Dec" whatever their case, or 0. */
int month_number(struct ph_str name);
bool day_is_valid(int year, int month, int day);
/* Days since 1970-01-01 in the Gregorian calendar. */
int64_t days_of_date(int year, int month, int day);
/* The day a moment falls on for somebody `zone` minutes east of UTC. */
int64_t day_of_moment(int64_t seconds, int zone);
/* "17-Jul-1996 02:44:25 -0700" without the quotes; returns its length. */
size_t date_time_print(int64_t seconds, int zone, char text[DATE_TIME_SIZE]);

#endif
