#!/bin/sh
# Makes ./configure from configure.ac.
set -e
cd "$(dirname "$0")"
mkdir -p m4
autoreconf --force --install
# configure removes the file "core" that a crashed probe may leave. Here that is a folder, and the failure would keep it
# from removing the rest.
sed -i 's/rm -f core /rm -f /' configure
