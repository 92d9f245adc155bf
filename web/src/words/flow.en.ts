// Mail that flows and waits, systems, and the change log.
export const flow = {
	// banner
	bannerDownSince: "has been down since {when}",
	bannerWaiting: "{n} recipient waits|{n} recipients wait",
	bannerMore: "{n} more is down|{n} more are down",
	inDomain: "in {domain}",

	// overview
	system_tested: "answers the test",
	system_testFailed: "fails the test",
	testedWhen: "tested {when}; no mail yet",

	// queue
	noSubject: "(no subject)",
	subject: "Subject",
	everySystem: "Every system",
	queueSelectHint: "Select messages to try them now, hold them, return or delete them.",
	retriedOpen: "Being tried…",
	retriedNotYet: "Not tried to the end yet: the list shows what comes of it.",
	retriedGone: "{n} recipient has left the queue: delivered, or returned to the sender.|{n} recipients have left the queue: delivered, or returned to the sender.",
	retriedAgain: "{address}: refused again: {reply}.",
	retriedNext: "Next attempt at {when}.",
	retriedAllGone: "Tried: {what}. Nothing of it waits any more.",

	// route
	legDown: "It is down: mail would wait here until it is back.",
	legDownSince: "It has been down since {when}: mail would wait here until it is back.",

	// mail systems
	testNoHosts: "Write the hosts first.",
	mayRelayHint: "Also mail to other domains, for whoever connects from a trusted address or signs in as this system.",
	smartHostHint: "Instead of the MX of each domain. Only one system can be this.",
	tlsHint_none: "Everything goes in clear text.",
	tlsHint_opportunistic: "TLS where it is offered, without looking at the certificate; clear text where not.",
	tlsHint_required: "Without TLS, mail waits. The certificate is not looked at.",
	tlsHint_verified: "Without TLS and a certificate for the host's name, mail waits.",
	whenDownHint_keep_known: "Mail for addresses known here, or confirmed by it before, is accepted and waits; others are asked to try later.",
	whenDownHint_keep_all: "All its mail is accepted and waits; for addresses it does not have, senders hear of it later.",
	whenDownHint_defer: "Nothing is accepted: senders keep their mail, and try again.",
	relaysOfDomains: "Relays of domains",
	relaysOfDomainsHint: "What domains have without a name. To give some of their users a named system instead: Directory Browser, select them, Set mail system…",

	// domain: what Save will change
	drawnAsIs: "What is typed cannot be saved like this; drawn is how it is now.",
	effectRelayUnclear: "The relay cannot be read yet: write a name or an IP address, with :port where it is not 25.",
	effectRelayNeeded: "The relay cannot be removed: {n} user has mail there.|The relay cannot be removed: {n} users have their mail there.",
	effectRelayGone: "The domain will have no alternate mail server.",
	effectRelayNew: "Users can be given to {relay} from then on. Nobody is moved by it.",
	effectRelayOther: "Mail of {n} user will go to {relay} instead of {before}.|Mail of {n} users will go to {relay} instead of {before}.",
	effectUnknownThere: "Addresses nobody here has will be given to {relay} instead of being refused.",
	effectUnknownRefused: "Addresses nobody here has will be refused.",
	effectOthers: "Will be changed: {fields}.",

	// changes
	searchChanges: "Address, name, value or administrator",
	onlyOf: "Only {name}",
	changed: "Changed",
	change_created: "{noun}: created",
	change_deleted: "{noun}: deleted",
	change_restored: "{noun}: restored",
	change_erased: "{noun}: erased for good",
	change_added: "{noun} added",
	change_removed: "{noun} removed",
	changeRouted: "Routed to the alternate mail server",
	changeMember: "Member",
	changeRenamed: "Renamed",
	changePasswordSet: "set",
	changePasswordRemoved: "removed",
	byCommandLine: "{name} (command line)",
	administrator: "Administrator",
	accessToken: "Access token",
	yes: "yes",
	no: "no",
} as const;
