import type { Fact } from "../api";

// Why a message goes where it goes.  A value in braces is one that the API
// gives with the fact; "one|other" is chosen by {n}.
export const facts: Record<Fact, string> = {
	// is the domain ours?
	"our-domain": "{domain} is a domain of ours.",
	"our-alias": "{alias} is an alias of our domain {domain}.",
	"our-first-domain": "{address} stands for our first domain, {domain}.",
	"no-domain-yet": "There is no domain here yet.",
	"not-our-domain": "{domain} is not a domain of ours.",
	"may-not-relay":
		"Only users who have signed in, and systems that may send to the Internet through us, send to other domains.",
	"sender-routing":
		"{address} could be taken for a route by the next system, because of % ! @ or : before the last @. Only those who may send anywhere may write that.",
	"address-literal": "An address with an IP address behind the @ would lead past every rule.",
	"by-smart-host": "Mail to the Internet goes through {system}.",
	"by-mx": "It goes to the MX of {domain}.",
	"leaves-from": "What is sent in the name of {domain} leaves from {outgoing}.",
	"system-from": "Mail for {system} leaves from {outgoing}.",
	"no-internet-domain": "{domain} is no domain of the Internet.",
	"sender-rewritten":
		"A sender of another domain becomes an address of {domain} (SRS), so that the next server does not take it for forged.",
	"returned-to": "{address} stands for a sender that was rewritten here: it goes back to {sender}.",
	"return-expired": "{address} stands for a sender that was rewritten here more than {days} days ago.",
	"not-rewritten-here":
		"{address} looks like a rewritten sender, but this server has not made it, or somebody has changed it.",

	// who has the address?
	"address-of": "{address} is an address of {holder}.",
	"address-of-everywhere": "{address} is an address of {holder}, on all aliases.",
	"has-detail": "+{detail} is a detail; it counts for the mailbox only.",
	disabled: "It is disabled: its mail is refused, and never forwarded.",
	"not-to-see": "{address} is an address of {domain}. What becomes of it is for its administrators to see.",
	"nobody-has": "Nobody here has {address}.",
	"postmaster-is": "The postmaster of {domain} is {address}.",
	"postmaster-with-unknown": "It goes where unknown addresses go, to {system}.",
	"catch-all-is": "{domain} has the catch-all {address}.",
	"forwards-unknown": "{domain} forwards unknown addresses to its relay, {relay}.",
	"forwards-no-unknown": "{domain} does not forward unknown addresses.",
	"stand-in-malformed": "{address}, which stands for it, is no address.",

	// groups and forwards
	"group-of": "{address} is a group of {n} member.|{address} is a group of {n} members.",
	"alias-of":
		"{address} stands for {n} address by the aliases of this host.|{address} stands for {n} addresses by the aliases of this host.",
	"alias-unfit": "{address}: the aliases of this host lead it to “{target}”, which is left out: it is no address.",
	"member-malformed": "{address} is left out: it is no address.",
	"member-refused": "{address} is left out: {code} {status} {reply}",
	forwarded: "{address} is forwarded to {n} address.|{address} is forwarded to {n} addresses.",
	"forwarded-with-copy":
		"{address} is forwarded to {n} address, and a copy stays.|{address} is forwarded to {n} addresses, and a copy stays.",
	"expanded-already": "{address} is expanded already.",
	"expanded-for-another": "{address} is expanded for another recipient of the same mail.",
	"served-already": "{address} has the message already.",
	"nested-too-deeply": "{address}: more than {most} groups and forwards lie inside each other.",
	"too-many-recipients": "One recipient may become {most} at most.",

	// where does the address live?
	"shared-here": "{address} is a shared mailbox here.",
	"lives-here": "{address} lives here, as its user does.",
	"lives-there": "{address} lives on the alternate mail server, its user here.",
	"lives-on-both": "{address} is delivered here and on the alternate mail server.",
	"no-mail-for-address": "{address} has no mail, although its user has.",
	"no-mail-for-user": "{address} belongs to a user who has no mail.",
	"routed-there": "{address} is routed to the user's alternate mail server.",
	"not-routed": "{address} is not selected for the user's alternate mail server: no mail.",
	"system-is": "Its mail system is {system} ({hosts}).",
	"system-is-relay": "Its mail system is the relay of the domain, {system}.",
	"no-relay": "{domain} has no relay. Set one: Modify Domain, Mail System.",
	"no-system": "The mail system of {address} is gone, or has no hosts.",

	// loops
	"asker-is-system": "The message comes from {system}, where it would go.",
	"caller-is-system": "{peer}, which calls, is a host of {system}, where it would go: nothing is given back.",
	"handed-on-before": "This server has handed {address} on before, on this message's way.",
	"sent-out-before": "This server has sent it out before.",
	"stood-in-before": "{address} stood for another before, on this message's way.",
	"other-part-had-it":
		"{address} lived here and on the alternate mail server when this was accepted; the other part has it.",
	"expanded-before": "{address} was expanded before on this message's way: left out.",
	"forwarded-before": "{address} was forwarded before.",
	"forwarded-before-with-copy": "{address} was forwarded before: only its own copy is left.",
	"asked-by-a-question": "{system} is being asked about it, and this is a question, too.",

	// what has the other system said?
	"asked-at-rcpt": "{system} is asked when mail arrives; what it refuses is refused.",
	"not-asked-yet": "{system} has not been asked about it lately.",
	confirmed: "{system} has confirmed it.",
	"confirmed-once": "{system} has confirmed it within the last week: accepted without asking again.",
	"known-here": "The directory knows it: accepted without asking {system} first.",
	"asked-later": "{system} is asked about it in the background, unless mail for it tells us before.",
	"client-is-spent": "{client} has asked for too many unknown addresses: it waits longer and longer until {system} is asked.",
	"system-is-spent":
		"Many unknown addresses of {system} were asked for: clients that were refused lately take turns.",
	"day-is-spent":
		"{system} bans who asks for many unknown addresses: it is asked for {most} of them a day, and no more now.",
	"refused-there": "{system} does not accept it: {code} {status} {reply}",
	"being-asked": "{system} is being asked about it now.",
	"answered-later": "{system} said: {code} {reply}",
	"no-answer": "{system} is down, or did not answer for it.",
	"kept-for-rights": "Accepted all the same: the sender has rights here.",
	"kept-all": "Accepted all the same: all mail for {system} is kept while it is down.",
	"kept-known": "Accepted all the same: the address is known, and its mail is kept while the system is down.",
	"not-kept": "Not accepted now: senders try later while {system} is down.",
	"not-known": "Not accepted now: the address is not known otherwise.",

	// sizes, and trouble
	"system-size": "{system} takes messages of up to {most} bytes.",
	"domain-size": "{domain} takes messages of up to {most} bytes.",
	trouble: "The directory cannot be read now.",
};
