#!/bin/bash
#
# Inside another Debian (debian.sh enter): the sources it lies in are built, and
# the demo, the logins and delivery are tried with that Debian's Dovecot; and that
# simulated worlds come again to the byte with its SQLite and OpenSSL, too.

set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."

./dev build 2>&1 | tail -n 5
./dev demo --once 2>&1 | tail -n 3
useradd ordinary 2>/dev/null || true
su ordinary -c "SPLITMAIL_BINARY=$PWD/build/splitmail \
	python3 test/demo/demo.py --once" 2>&1 | tail -n 1
./dev sim --worlds 50 --jobs "$(nproc)" 2>&1 | tail -n 20

cd test/scenario
SPLITMAIL_BINARY=$PWD/../../build/splitmail exec \
	python3 -m pytest -p no:cacheprovider -ra --timeout 900 --durations 10 \
	-n $((3 * $(nproc) < 12 ? 3 * $(nproc) : 12)) --dist loadgroup \
	test_auth_cases.py test_certificates.py test_demo.py test_full_mailbox.py test_internet.py \
	test_login_names.py test_logins.py \
	test_logout.py test_mailboxes.py test_privileges.py test_sent_on.py test_serve.py \
	test_split.py test_stop.py test_topology.py ../sim/test_sim.py
