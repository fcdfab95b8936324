#!/bin/sh
# Starts the mock DGA service in the working directory. It picks a free port and says where it listens in endpoint.dat.
exec python3 -E -S "$(dirname "$0")/dga.py"
