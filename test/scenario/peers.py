"""Other mail systems: a real Postfix and a real Exim, unpacked, not installed.

    postfix = world.postfix(domain="example.test", users=["bob"],
                            other=a.at)
    postfix.at                      "127.3.4.5:2525": use it as a relay
    postfix.wait_for_mail("bob")    list of messages (bytes)

Both are configured the way their manuals say for a domain that is shared with
another system: own users are delivered to Maildirs; with OTHER, everybody else
in the domain is handed to that host, and it is asked at RCPT whether it has them
(verify=False: it is not asked); without OTHER they are refused at RCPT.

They come from build-peers/ (./dev test unpacks them there) and run in a mount
namespace in which /etc/passwd has the users their binaries insist on; so they
need root, and without it the test is skipped.
"""

import glob
import os
import subprocess
import time

import pytest

from world import (can_connect, claim_address, end_process, tail, wait_until)

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
UID = 64101         # the daemon and its mailboxes
DROP_GID = 64102    # Postfix's setgid group: shared with nobody


def library_path(unpacked):
    return ":".join(sorted({os.path.dirname(library) for library in glob.glob(
        f"{unpacked}/**/*.so*", recursive=True)}))


class Peer:
    package = port = name = None

    def __init__(self, folder, domain="example.test", users=(), other=None,
                 verify=True, settings=None, name=None):
        self.name = name or type(self).__name__.lower()
        self.folder, self.domain, self.users = folder, domain, list(users)
        self.other, self.verify = other, verify and other
        self.settings = dict(settings or {})
        self.unpacked = os.path.join(ROOT, "build-peers", self.package)
        self.address, self.claim = claim_address([self.port])
        self.at = f"{self.address}:{self.port}"
        self.log_path = os.path.join(folder, "log")
        self.maildirs = os.path.join(folder, "mail")
        self.process = None

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def make(self, name, uid=0, gid=0, mode=0o755):
        os.makedirs(self.path(name), exist_ok=True)
        os.chown(self.path(name), uid, gid)
        os.chmod(self.path(name), mode)

    def start(self):
        if os.geteuid() != 0:
            pytest.skip(f"{self.name} needs root")
        if not os.path.exists(f"{self.unpacked}/.complete"):
            raise AssertionError(f"no {self.unpacked}: run ./dev test once")
        self.make("mail", UID, UID, 0o700)
        for database, line in (
                ("passwd", "{}:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"
                 % (UID, UID)), ("group", "{}:x:%d:\n" % UID)):
            with open(f"/etc/{database}") as file:
                lines = [entry for entry in file if entry.split(":")[0]
                         not in ("postfix", "postdrop", "Debian-exim")]
            lines.append(line.format(self.account))
            if database == "group":
                lines.append(f"postdrop:x:{DROP_GID}:\n")
            self.write(database, "".join(lines))
        self.configure()
        self.up()

    def up(self):
        self.process = self.launch(self.command())
        try:
            wait_until(lambda: can_connect(self.address, self.port)
                       or self.process.poll() is not None, 20, self.name)
            assert self.process.poll() is None
        except AssertionError:
            raise AssertionError(f"{self.name} does not come up:\n"
                                 f"{self.log_tail()}") from None

    def down(self):
        if self.process:
            end_process(self.process)
            self.process = None

    def end(self):
        self.down()
        self.claim.close()

    def inside(self, command):
        """COMMAND, with our passwd in place of the machine's."""
        mounts = "".join(f'mount --bind "{self.path(d)}" /etc/{d} && '
                         for d in ("passwd", "group"))
        return ["unshare", "--mount", "sh", "-c", mounts + 'exec "$@"',
                "peer", *command]

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                "LD_LIBRARY_PATH": library_path(self.unpacked)}

    def launch(self, command):
        with open(self.log_path, "a") as log:
            return subprocess.Popen(
                self.inside(command), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment(), cwd=self.folder,
                start_new_session=True)

    def run(self, command):
        done = subprocess.run(self.inside(command), capture_output=True,
                              text=True, env=self.environment(),
                              cwd=self.folder, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # ---- what it has

    def mailbox(self, user):
        """The messages of the Maildir as bytes, oldest first."""
        files = [f for part in ("new", "cur") for f in
                 glob.glob(f"{self.maildirs}/{user}/{part}/*")]
        mails = []
        for name in sorted(files, key=os.path.getmtime):
            with open(name, "rb") as file:
                mails.append(file.read())
        return mails

    def wait_for_mail(self, user, count=1, timeout=20):
        wait_until(lambda: len(self.mailbox(user)) >= count, timeout,
                   f"{self.name}: {count} mails for {user}")
        mails = self.mailbox(user)
        assert len(mails) == count, f"{user} has {len(mails)}, not {count}"
        return mails

    def log_tail(self):
        return tail(self.log_path)


class Postfix(Peer):
    """settings: main.cf parameters, replacing those below.

    StockPostfix is the same as its package sets it up: the domain is in
    mydestination, its users are those of the machine, local parts are looked
    into for routes, and hosts in mynetworks may send to anybody.
    """

    package, port, account = "postfix", 2525, "postfix"

    def packaged(self):
        """What replaces the settings below."""
        return {}

    def configure(self):
        self.make("etc")
        self.make("queue")
        self.make("data", UID, UID)
        # Postfix warns of links; and it wants these in its own folder.
        for name in ("postfix-files", "dynamicmaps.cf"):
            self.write(f"etc/{name}", "")
        own = f"{self.unpacked}/usr"
        self.write("etc/users", "".join(
            f"{user}@{self.domain} {user}/\n" for user in self.users))
        # The address class of a shared domain is "relay": transport_maps
        # says who is here, the rest goes to the other system.
        self.write("etc/transport", "".join(
            f"{user}@{self.domain} virtual:\n" for user in self.users)
            + (f"{self.domain} smtp:{self.next_hop()}\n" if self.other
               else ""))
        main = {
            "compatibility_level": "3.6",
            "queue_directory": self.path("queue"),
            "data_directory": self.path("data"),
            "config_directory": self.path("etc"),
            "meta_directory": self.path("etc"),
            "daemon_directory": f"{own}/lib/postfix/sbin",
            "shlib_directory": f"{own}/lib/postfix",
            "command_directory": f"{own}/sbin",
            "sendmail_path": f"{own}/sbin/sendmail",
            "mailq_path": f"{own}/sbin/mailq",
            "newaliases_path": f"{own}/sbin/newaliases",
            "manpage_directory": "no", "readme_directory": "no",
            "html_directory": "no", "sample_directory": "no",
            "mail_owner": "postfix", "setgid_group": "postdrop",
            "import_environment": "MAIL_CONFIG LANG=C LD_LIBRARY_PATH",
            "export_environment": "LANG=C PATH LD_LIBRARY_PATH",
            "maillog_file": self.log_path,
            "maillog_file_prefixes": self.folder,
            # Only what the kernel lists; master.cf has the real address.
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "smtp_bind_address": self.address,
            "myhostname": f"{self.name}.test", "mydestination": "",
            "mynetworks": f"{self.address}/32",
            "alias_maps": "", "alias_database": "",
            "relay_domains": self.domain,
            # A domain that is all its own refuses whom it does not know.
            "relay_recipient_maps":
                "" if self.other else f"texthash:{self.path('etc/users')}",
            "transport_maps": f"texthash:{self.path('etc/transport')}",
            "virtual_mailbox_maps": f"texthash:{self.path('etc/users')}",
            "virtual_mailbox_base": self.maildirs,
            "virtual_uid_maps": f"static:{UID}",
            "virtual_gid_maps": f"static:{UID}",
            "virtual_minimum_uid": "1",
            "smtpd_relay_restrictions":
                "permit_mynetworks, reject_unauth_destination",
            "smtpd_recipient_restrictions":
                "reject_unverified_recipient" if self.verify else "",
            "unverified_recipient_reject_code": "550",
            "unverified_recipient_defer_code": "450",
            "address_verify_poll_delay": "1s",
            # A question says that it is one.
            "address_verify_sender": "<>",
            "address_verify_map": "",
            "smtpd_peername_lookup": "no",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "smtp_tls_security_level": "none",
            "append_dot_mydomain": "no",
            "in_flow_delay": "0",
            "recipient_delimiter": "+",
            "biff": "no",
            "minimal_backoff_time": "2s", "maximal_backoff_time": "5s",
            "queue_run_delay": "2s",
            "smtpd_client_connection_count_limit": "0",
        }
        main.update(self.packaged())
        main.update(self.settings)
        self.write("etc/main.cf", "".join(f"{key} = {value}\n"
                                          for key, value in main.items()))
        self.write("etc/master.cf", f"""\
{self.at} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
        # What "postfix check" would make from postfix-files.
        for name, owner, gid, mode in (
                ("active", UID, UID, 0o700), ("bounce", UID, UID, 0o700),
                ("corrupt", UID, UID, 0o700), ("defer", UID, UID, 0o700),
                ("deferred", UID, UID, 0o700), ("flush", UID, UID, 0o700),
                ("hold", UID, UID, 0o700), ("incoming", UID, UID, 0o700),
                ("private", UID, UID, 0o700), ("saved", UID, UID, 0o700),
                ("trace", UID, UID, 0o700), ("maildrop", UID, DROP_GID,
                                             0o1730),
                ("public", UID, DROP_GID, 0o2710), ("pid", 0, 0, 0o755)):
            self.make(f"queue/{name}", owner, gid, mode)

    def next_hop(self):
        host, _, port = self.other.rpartition(":")
        return f"[{host}]:{port}"

    def command(self):
        # In the foreground, so that it is ours to end.
        return [f"{self.unpacked}/usr/lib/postfix/sbin/master", "-c",
                self.path("etc"), "-s"]

    def queue(self):
        return self.run([f"{self.unpacked}/usr/sbin/postqueue", "-c",
                         self.path("etc"), "-j"]).splitlines()


class StockPostfix(Postfix):
    """OTHER and what it trusts are settings: relayhost, mynetworks."""

    def packaged(self):
        with open(self.path("passwd"), "a") as passwd:
            for user in self.users:
                passwd.write(f"{user}:x:{UID}:{UID}::{self.maildirs}:"
                             "/usr/sbin/nologin\n")
        return {
            "mydestination": f"$myhostname, {self.domain}, localhost",
            "relay_domains": "", "relay_recipient_maps": "",
            "transport_maps": "", "virtual_mailbox_maps": "",
            "local_recipient_maps": "unix:passwd.byname",
            "mail_spool_directory": f"{self.maildirs}/",
            "smtpd_relay_restrictions":
                "permit_mynetworks, permit_sasl_authenticated, "
                "defer_unauth_destination",
            "smtpd_recipient_restrictions": "",
        }


class Exim(Peer):
    """settings: main section options, replacing those below."""

    package, port, account = "exim4-daemon-light", 2626, "Debian-exim"

    def configure(self):
        self.make("spool", UID, UID, 0o750)
        self.make("logs", UID, UID, 0o750)
        self.write("users", "".join(f"{user}: {user}\n" for user in self.users))
        main = {
            "primary_hostname": f"{self.name}.test",
            "spool_directory": self.path("spool"),
            "log_file_path": self.path("logs", "%slog"),
            "exim_path": f"{self.unpacked}/usr/sbin/exim4",
            "keep_environment": "LD_LIBRARY_PATH",
            "local_interfaces": self.address,
            "daemon_smtp_ports": str(self.port),
            "domainlist our_domains": self.domain,
            "hostlist own_host": self.address,
            "acl_smtp_rcpt": "acl_check_rcpt",
            # Unpacked, the binary has no set-uid bit to become root by.
            "deliver_drop_privilege": "true",
            "never_users": "root",
            "host_lookup": "", "rfc1413_hosts": "",
            "tls_advertise_hosts": "", "disable_ipv6": "true",
            "chunking_advertise_hosts": "*",
            "smtputf8_advertise_hosts": "*",
            "prdr_enable": "false",
            "local_from_check": "false",
        }
        main.update(self.settings)
        lines = "".join(f"{key} = {value}\n" for key, value in main.items())
        other = ""
        if self.other:
            host, _, port = self.other.rpartition(":")
            other = f"""
others:
  driver = manualroute
  domains = +our_domains
  transport = other_system
  route_list = * {host}
  self = send
  host_find_failed = defer
  no_more
"""
        else:
            port = 25
        self.write("exim.conf", lines + f"""
begin acl
acl_check_rcpt:
  accept hosts = +own_host
  deny message = relay not permitted
       !domains = +our_domains
  deny message = no such user
       !verify = recipient{"/callout=10s,defer_ok" if self.verify else ""}
  accept

begin routers
ours:
  driver = accept
  domains = +our_domains
  local_parts = lsearch;{self.path("users")}
  local_part_suffix = +*
  local_part_suffix_optional
  transport = maildir
{other}
begin transports
maildir:
  driver = appendfile
  directory = {self.maildirs}/$local_part_data
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
  delivery_date_add
  user = Debian-exim
other_system:
  driver = smtp
  port = {port}
  interface = {self.address}
  allow_localhost
  hosts_avoid_tls = *

begin retry
* * F,1h,3s
""")

    def command(self):
        # Delivery is immediate; -q2s is the queue runner.
        return [f"{self.unpacked}/usr/sbin/exim4", "-C",
                self.path("exim.conf"), "-bdf", "-q2s"]

    def log_tail(self):
        return tail(self.log_path) + "".join(
            tail(self.path("logs", log)) for log in ("mainlog", "paniclog"))
