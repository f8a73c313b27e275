#!/bin/sh
# Other work to measure beside: N loops that keep N cores busy until this script is stopped.
#
#     tests/benchmarks/busy.sh 2 & …; kill $!
count="${1:?give the number of loops}"
trap 'kill $loops 2>/dev/null; exit 0' INT TERM HUP
loops=""
while [ "$count" -gt 0 ]; do
    (while :; do :; done) &
    loops="$loops $!"
    count=$((count - 1))
done
wait
