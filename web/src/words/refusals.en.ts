import type { Reason } from "../api";

const ofThePage =
	"The server did not understand this page. Load it again; if that does not help, tell whoever runs this server.";

// Why something was refused, in the words of the forms.  A value in braces is
// one that the API gives with the reason; "one|other" is chosen by {n}.
export const refusals: Record<Reason, string> = {
	// what was typed
	"bad-address": "“{given}” is no address. Write it like bob@example.org.",
	"address-without-domain": "“{given}” has no domain. Write it like bob@example.org.",
	"bad-domain-name": "“{given}” is no domain name. Write it like example.org.",
	"bad-hosts":
		"“{given}” cannot be read as hosts. Write names or IP addresses, each with a port if it is not 25: mail.example.org, 192.0.2.1:2525.",
	"too-many-hosts": "At most {most} hosts can be given.",
	"bad-size": "“{given}” is no size. Write a size such as 500M or 10G, or leave the field empty.",
	"bad-count": "“{given}” cannot be used here. Write a number from 1 to {most}, or leave the field empty.",
	"not-one-of": "“{given}” cannot be chosen here, only {words}.",
	"not-yes-or-no": "“{given}” is neither yes nor no.",
	"text-too-long": "This text is too long: {most} characters at most.",
	"text-not-utf8": "This text is not UTF-8.",
	"text-has-control": "This text holds a control character, such as a tab or a line end. Write it anew.",
	"unknown-key": ofThePage,

	// passwords
	"password-empty": "Write a password.",
	"password-too-short": "This password is too short: at least {least} characters.",
	"password-is-name": "This is the name of {name}, which is guessed first. Choose another password.",
	"password-too-long": "This password is too long: {most} characters at most.",
	"password-has-control": "This password holds a control character, such as a tab or a line end. Choose another one.",
	"bad-password-hash": "This is no password hash. Write it with its scheme in braces in front.",
	"hash-is-readable": "The password can be read from {scheme}. Write the password itself.",
	"hash-scheme-unknown": "{scheme} is not known to the mailboxes here. They know {schemes}.",
	"hash-of-a-name": "A hash of {scheme} holds for one login name only. Write the password, or a hash of another scheme.",
	"hash-misshapen": "This is no hash of {scheme}, which is written as {shape}. Nobody could log in with it.",
	"hash-too-costly":
		"This hash of {scheme} costs too much memory or time at each login. Write the password, or a cheaper hash.",
	"hash-of-user":
		"The password of {user} is an imported hash, which cannot be used here. Set a password of {user} first, or give the administrator one of his own.",
	"hash-of-administrator": "{user} is an administrator and signs in here with it. Write the password instead of a hash.",
	"wrong-password": "This is not your password.",
	"wrong-name-or-password": "Name or password is wrong.",
	"too-many-attempts":
		"Too many attempts. Try again in {n} second.|Too many attempts. Try again in {n} seconds.",

	// domains
	"no-such-domain": "There is no domain {domain}.",
	"domain-exists": "The domain {domain} exists already.",
	"domain-is-alias": "{alias} is an alias of the domain {domain}. Remove it there first.",
	"no-change-to-undo": "This can no longer be undone. A name is given back within {hours} hours, once.",
	"renamed-since": "{name} has been given another name since. It stays as it is.",
	"aliases-are-not-his": "Only a superadministrator gives a domain its names.",
	"own-name-as-alias": "{domain} is the domain's own name; leave it out of the aliases.",
	"too-many-aliases": "A domain has at most {most} aliases.",
	"alias-in-use":
		"The alias {alias} cannot be removed yet: {n} address is on it alone ({addresses}). Remove that address first.|The alias {alias} cannot be removed yet: {n} addresses are on it alone ({addresses}). Remove those addresses first.",
	"alias-not-deleted": "{alias} is an alias of {domain}. Remove it from the aliases of that domain.",
	"domain-in-use":
		"The domain {domain} cannot be deleted yet: {n} user, group or shared mailbox lives in it ({names}). Delete it first.|The domain {domain} cannot be deleted yet: {n} users, groups and shared mailboxes live in it ({names}). Delete them first.",

	// the split
	"forward-needs-relay":
		"Unknown addresses cannot be forwarded without a relay. Fill in the relay, or clear this box.",
	"relay-needed-to-forward":
		"Unknown addresses are forwarded to this relay. Clear that box before you remove the relay.",
	"relay-in-use":
		"The relay cannot be removed yet: {n} user needs it ({names}). Host that user here, or choose another mail system for him, first.|The relay cannot be removed yet: {n} users need it ({names}). Host them here, or choose another mail system for them, first.",
	"catch-all-or-forward":
		"A catch-all leaves no unknown addresses to forward. Empty the catch-all, or clear the box.",
	"user-needs-relay":
		"The domain has no relay, so there is no alternate mail server. Set the relay of the domain first, or choose a mail system.",

	// addresses
	"domain-not-here": "There is no domain {domain} here.",
	"other-domain": "{name} is neither the domain of this entry nor an alias of it.",
	"address-is-wild-card":
		"An address has no *. Who gets the mail nobody else has is the catch-all of the domain.",
	"address-taken": "{address} is taken: {holder} has {held}.",
	"others-lead-here":
		"{n} other still leads to {address}: {names}. Change it first.|{n} others still lead to {address}: {names}. Change them first.",
	"others-elsewhere-lead-here":
		"{n} other, in a domain that is not yours, still leads to {address}. Have it changed first.|{n} others, in domains that are not yours, still lead to {address}. Have them changed first.",
	"address-taken-everywhere": "{address} is taken: {holder} has it on all aliases.",
	"address-nobody-has": "Nobody has the address {address}. Create it first.",
	"no-such-address": "Nobody has the address {address} any more.",
	"address-of-domains":
		"{address} exists in {n} domain. Write the domain's name.|{address} exists in {n} domains. Write the domain's name.",
	"address-on-all-aliases": "{address} is held on all aliases. Remove {held} instead.",
	"default-address-stays": "{address} is the default address of {holder}; it goes only with it.",
	"default-address-has-detail": "A default address has no “+”. Write {address}.",
	"default-address-is-quoted": "A default address is written without quotation marks.",
	"default-address-not-ascii":
		"A mailbox here needs a default address of plain letters, without accents. Create it with such a one, then add {address} as another address.",
	"not-by-another-address":
		"{address} is another address of {holder}: delete {holder}.",
	"address-reserved": "{address} is reserved for the domain itself.",
	"only-users-live-elsewhere": "{address} belongs to {holder}; only a user's addresses can live elsewhere.",
	"bad-address-entry": ofThePage,

	// users, groups, shared mailboxes
	"no-such-deleted": "Nothing is kept of {who} any more.",
	"deleted-several": "{address} was deleted once: take it from the list.|{address} was deleted {n} times: take the one you mean from the list.",
	"no-such-holder": "{address} is not there any more.",
	"holder-of-no-domain": "{address} is not there: there is no domain {domain} here.",
	"holder-of-other-kind": "{address} is an entry of another kind.",
	"user-outranks": "{user} is an administrator with more rights than you have. Only one who has them can change this user.",
	"mail-of-superior":
		"{address} gets mail of an administrator with more rights than yours, who forwards to it. Only somebody with his rights can change it.",
	"host-is-this-machine":
		"{host} is this server itself, or lies on its own line. Only a superadministrator can have mail sent there.",
	"builtin-stays": "{address} is made with its domain and stays with it.",
	"builtin-stays-enabled": "postmaster@ is always deliverable: this mailbox cannot be disabled.",
	"forward-to-himself":
		"{address} is an address of the user himself. To keep a copy here, tick the box below instead.",
	"too-many-forwards": "A user forwards to at most {most} addresses.",
	"group-in-itself": "{address} is the group itself.",
	"group-in-circle": "{address} cannot be a member: it has {group} among its own members, directly or through others.",
	"too-many-members": "A group has at most {most} members.",
	"already-a-member": "{address} is a member already.",
	"no-such-member": "{address} is no member any more.",
	"no-sender": "{address} cannot send as somebody: name users, or groups other than this one.",
	"shared-has-no-members": "A shared mailbox has no members: name users or groups.",
	"too-many-senders": "At most {most} users and groups may be named.",
	"too-many-users": "At most {most} users can be changed at once.",
	"nothing-to-change": ofThePage,

	// mail systems
	"no-such-system": "There is no mail system {system} any more. There are: {names}.",
	"no-system-at-all": "There is no mail system {system} any more, nor any other.",
	"system-exists": "The mail system {system} exists already.",
	"system-in-use":
		"The mail system {system} cannot be deleted yet: {n} user lives on it ({names}). Choose another one for that user first.|The mail system {system} cannot be deleted yet: {n} users live on it ({names}). Choose another one for them first.",
	"bad-system-name": "“{given}” cannot be a name here: up to {most} letters, digits, “-” and “_”.",
	"system-needs-hosts": "Write at least one host.",
	"ip-not-verified":
		"An IP address has no name that a certificate could be verified against. Write host names, or choose “Required”.",
	"bad-outgoing": "“{given}” cannot be used here: {cause}. Write addresses of this server, such as 192.0.2.25 or 192.0.2.25, 2001:db8::25.",
	"outgoing-is-superiors": "Only a superadministrator chooses the addresses that mail leaves from.",
	"no-host-of-outgoing":
		"None of the hosts ({hosts}) can be reached from {outgoing}: they are addresses of the other family. Write one of each, or other hosts.",
	"no-host-of-family":
		"None of the hosts ({hosts}) has an address of this kind. Choose another one, or write other hosts.",
	"bad-credential": "This is too long: {most} characters at most.",
	"user-and-password": "Write both the name and the password, or neither.",
	"password-needs-tls":
		"A password is only sent over TLS. Choose “Required” or “Required, certificate verified”.",
	"smart-host-taken": "{system} is the smart host already. Clear the box there first.",
	"bad-block": "“{given}” is neither an IP address nor a block. Write it like 192.0.2.1 or 192.0.2.0/24.",
	"block-is-internet": "{block} is the whole Internet: then everybody would be this system.",
	"block-taken": "{block} belongs to the mail system {system} already.",
	"too-many-blocks": "A mail system has at most {most} trusted addresses.",
	"too-many-trials": "Too many tests. Try again in a minute.",

	// filters
	"no-such-dkim-key": "{domain} has no key {selector} any more. There are: {names}.",
	"no-dkim-key-at-all": "{domain} has no keys any more.",
	"dkim-key-exists": "{domain} has a key {selector} already.",
	"bad-selector": "A selector has letters, digits and hyphens, at most {most} of them; it neither begins nor ends with a hyphen.",
	"too-many-dkim-keys": "{domain} has {most} keys already, as many as there can be: delete one that is not used any more.",
	"dkim-key-waits": "The key {selector} is new and not used yet: use or delete that one first.",
	"no-new-dkim-key": "{domain} has no new key that could be used.",
	"dkim-not-published": "The key {selector} is not published yet: at {name}, DNS has {found}. Name servers may remember that for a while.",
	"dkim-key-signs": "The key {selector} signs mail of {domain}.",
	"dkim-key-is-needed": "Mail that the key {selector} has signed may still be on its way: its record has to stay for {n} more day.|Mail that the key {selector} has signed may still be on its way: its record has to stay for {n} more days.",
	"no-such-filter": "There is no filter {filter} any more. There are: {names}.",
	"no-filter-at-all": "There is no filter {filter} any more, nor any other.",
	"filter-exists": "The filter {filter} exists already.",
	"bad-filter-name": "“{given}” cannot be a name here: up to {most} letters, digits, “-” and “_”.",
	"filter-needs-socket": "Write where the filter listens, such as inet:localhost:11332.",
	"bad-socket":
		"“{given}” cannot be read as a socket. Write it like inet:localhost:11332 or unix:/run/opendkim/opendkim.sock.",
	"no-such-listener": "There is no listener {listener} in splitmail.conf. There are: {names}.",
	"too-many-filters": "There are {most} filters already, as many as there can be: delete one first.",
	"filters-are-not-his": "Filters see the mail of all domains: they are the superadministrator's.",

	// administrators and tokens
	"no-such-admin": "There is no administrator {name} any more.",
	"admin-exists": "The administrator {name} exists already.",
	"bad-admin-name":
		"“{given}” cannot be a name to sign in with: up to {most} small letters, digits, “-”, “_”, “.” and “@”.",
	"admin-needs-domain": "This role is for one domain. Choose the domain.",
	"superadmin-has-no-domain": "A superadministrator is for all domains. Choose no domain.",
	"first-admin-stays-super": "{name} stays the superadministrator.",
	"first-admin-stays": "{name} is the first superadministrator and cannot be deleted.",
	"no-such-token": "There is no such token any more.",
	"token-needs-a-name": "Say what the token is for.",
	"bad-token-days": "A token is valid for 1 to {most} days.",
	"too-many-tokens": "An administrator has at most {most} tokens. Delete one first.",

	// who asks, and when
	"not-signed-in": "Your session has ended. Sign in again.",
	"csrf-token-wrong": "Your session has changed. Load the page again.",
	"from-another-site": "This came from a page of another site and was not done.",
	"no-right": "Your role does not allow this.",
	"token-has-no-right": "The role of this token does not allow this.",
	"token-is-for-metrics": "This token may only read /metrics.",
	"token-may-only-read": "This token may only read.",
	"not-found": "There is nothing at this address any more.",
	"exists-already": "This exists already.",
	"changed-meanwhile":
		"Somebody else changed this meanwhile. Cancel shows how it is now; what you typed is still here.",
	"gone-meanwhile": "Somebody else deleted this meanwhile.",
	trouble: "The server has a problem of its own; its log says which. Try again later.",
	stopping: "The server is about to stop. Try again later.",

	// queue, and “Where does it go?”
	"no-messages-named": "Say which messages.",
	"bad-ip": "“{given}” is no IP address. Write it like 192.0.2.1 or 2001:db8::1.",
	"bad-asker": "There is no user or mail system of this name. Write the address of a user, or the name of a mail system.",

	// requests that no form sends
	"bad-cursor": ofThePage,
	"search-too-long": "This is too long to search for: {most} characters at most.",
	"bad-limit": ofThePage,
	"bad-parameter": ofThePage,
	"not-an-object": ofThePage,
	"not-json": ofThePage,
	"not-json-type": ofThePage,
	"not-possible": ofThePage,
	"not-a-text": ofThePage,
	"key-missing": ofThePage,
	"too-large": "This is too much at once: {most} bytes at most.",
	"unknown-host":
		"This server does not know that it has the name in the address bar. Whoever runs it adds the name to splitmail.conf.",
	"wrong-type": ofThePage,

	// the second factor
	"code-needed": "Type the code of your second factor, too.",
	"code-wrong": "The code is wrong.",
	"code-used": "This code has been used already. Wait for the next one.",
	"no-second-factor": "No second factor is on.",
	"no-second-factor-of": "{name} has no second factor.",
	"own-password": "Change your own password in your account.",
	"own-second-factor": "Switch your own second factor off in your account.",
	"second-factor-is-on": "A second factor is on already. Switch it off first.",
	"second-factor-not-begun": "Begin with a new secret first.",
	"second-factor-is-his": "A second factor is switched on by its owner, in his account.",

	// jobs
	"no-such-job": "This job is not there any more.",
	"too-many-jobs": "{most} of your jobs have not ended yet. Wait for them, or stop some.",
	"too-many-jobs-a-day":
		"You have had {most} jobs within {hours} hours, as many as are kept. Wait until the first of them is older.",
	"match-changed":
		"{n} user matches now, not {seen}: close this and look again.|{n} users match now, not {seen}: close this and look again.",
	"nobody-to-change": "There is no user to be changed.",
	"too-many-for-a-job":
		"{users} users are too many for one job, which has at most {most}. Choose fewer, by domain or search.",
	"asker-is-gone": "{admin}, who asked for it, is no administrator any more.",
	"asker-has-fewer-rights": "{admin}, who asked for it, has fewer rights now.",
	"nothing-to-put-back":
		"There is nothing to be put back: the work has not ended, has changed nobody, or ended more than {hours} hours ago.",
	"address-of-another": "{address} has become another user's since; he stays as he is.",
	"user-changed-since": "Somebody has changed this user since; he stays as he is.",
	"cannot-be-put-back": "This setting cannot be put back.",
	"no-such-topic": ofThePage,
	"no-topic": ofThePage,
	"no-right-to-watch": ofThePage,
	"too-many-streams": "Too many pages of this console are open. Close one first.",
	"expect-needed": ofThePage,
	"addresses-and-filter": ofThePage,
};
