import type { Remark } from "../api";

// What is said of records in the DNS.  A value in braces is one that the API
// gives with the remark; "one|other" is chosen by {n}.
export const remarks: Record<Remark, string> = {
	"not-asked": "It cannot be asked now: {cause}.",
	"mx-is-null": "MX “.” says that {domain} takes no mail at all.",
	"mx-is-address": "MX {host} is an address: it has to be a name.",
	"mx-is-alias": "MX {host} is an alias (CNAME) of {owner}: it has to be a name with addresses of its own.",
	"mx-has-no-address": "MX {host} has no address.",
	"mx-is-stranger": "MX {host} is neither this server nor a system of {domain} that is known here.",
	"mx-is-another": "Mail comes to {system} first ({host}), which has to hand on what is for users here.",
	"mx-is-not-heard":
		"This server takes mail of strangers from this very machine alone: see listener in splitmail.conf.",
	"mx-by-address": "Without it, mail goes to the address of {domain} itself.",
	"address-is-private": "{address} cannot be reached from the Internet.",
	"address-is-another": "{host} leads to {address}, and mail leaves this machine from {own}.",
	"address-is-alias": "{host} is an alias (CNAME) of {owner}: it cannot be named by an MX.",
	"address-is-not-known": "Which address this machine has in the Internet is not known here.",
	"ptr-not-back": "{address} is called {name}, and {name} does not lead back to it.",
	"ptr-is-another": "{address} is called {name}, which leads back to it: that is enough.",
	"ptr-by-provider": "Whoever gave you {address} publishes it.",
	"ptr-needs-name": "Any name will do that leads back to {address}.",
	"spf-several": "There is {n} SPF record.|There are {n} SPF records, so none counts: join them in one.",
	"spf-malformed": "Nobody can use it: {cause}.",
	"spf-passes-all": "+all lets anybody send in the name of {domain}.",
	"spf-is-neutral": "It says nothing of other senders (~all or -all at its end).",
	"spf-too-many":
		"It takes {n} look-up, and receivers do 10 (RFC 7208 4.6.4): the rest is in error.|It takes {n} look-ups, and receivers do 10 (RFC 7208 4.6.4): the rest is in error.",
	"spf-lookups": "It takes {n} look-up; receivers do 10.|It takes {n} look-ups; receivers do 10.",
	"spf-too-many-void":
		"{n} of its names leads nowhere ({names}), and receivers bear 2.|{n} of its names lead nowhere ({names}), and receivers bear 2.",
	"spf-void": "{names} leads nowhere.",
	"spf-too-many-mx":
		"mx of {name} has {n} host, and receivers ask for 10.|mx of {name} has {n} hosts, and receivers ask for 10.",
	"spf-include-missing": "{name} has no SPF record, so the whole record is in error.",
	"spf-include-bad": "The record of {name} cannot be used: {cause}.",
	"spf-lacks-here": "It does not allow what this server sends: {terms} is missing.",
	"spf-lacks": "It does not allow what {system} sends: {terms} is missing.",
	"spf-sender-unknown":
		"From where {system} sends is not known here: say it in its trust, unless all it sends goes through this server.",
	"spf-ptr": "ptr is slow and not to be used (RFC 7208 5.5).",
	"spf-needs-too-many":
		"All of it takes {n} look-up: includes that are not needed have to go.|All of it takes {n} look-ups: includes that are not needed have to go.",
	"dmarc-several": "There is {n} DMARC record.|There are {n} DMARC records, so none counts.",
	"dmarc-malformed": "Receivers do not heed it: {cause}.",
	"dmarc-without-proof": "p={policy}, and neither SPF nor DKIM proves anything: mail of {domain} is refused.",
	"dmarc-alone": "It is of use once SPF and DKIM are right.",
	"dmarc-has-no-reports": "Nobody gets reports: name an address (rua).",
	"dmarc-reports-unwanted": "Reports for {address} are not sent: {name} does not say that it takes them.",
	"dmarc-is-inherited": "{parent} says it for {domain}, too.",
	"dmarc-could-go":
		"SPF and DKIM are right: when reports of some weeks name no sender of yours, p={policy} is next.",
	"dmarc-stays": "Stay at p=none until SPF and DKIM are right.",
	"dkim-is-another": "The key there is another one: signatures are taken for forged.",
	"dkim-is-revoked": "It says that the key is revoked (p= is empty).",
	"dkim-is-none": "What is there is no key.",
	"dkim-is-unused": "Nothing is signed with it yet: splitmail domain dkim use {domain} {selector}.",
	"dkim-is-kept": "It signs nothing more, and mail that it has signed may still be on its way: leave it.",
	"dkim-may-go": "It signs nothing more: it may go, here and there.",
	"sts-is-none": "What is there announces no policy (v=STSv1; id=...), or several.",
	"sts-policy-is-missing": "No policy is served there: {cause}.",
	"sts-policy-is-none": "The policy cannot be used: {cause}.",
	"sts-policy-lacks": "The policy does not name MX {host}: senders who heed it do not go there.",
	"sts-needs-server": "A web server for {host} has to serve it.",
	"tls-reports-none": "What is there names nobody for reports (v=TLSRPTv1; rua=...), or there are several.",
	"srv-is-another": "Programs are led to {found}, not here.",
	"srv-is-for-all": "Programs of users who live elsewhere come here by it, too.",
};
