/*
 * A line of the change log in the administrator's language: what was changed,
 * and its values.  What these pages are too old to know is said as it is
 * written there.
 */
import type { Change } from "../api";
import { isWord } from "../words";
import type { Say, Word } from "../words";

const nouns: Record<string, Word> = {
	user: "kind_user",
	group: "kind_group",
	shared: "kind_shared",
	domain: "domain",
	address: "address",
	system: "system",
	filter: "filter",
	admin: "administrator",
	token: "accessToken",
};

/** The words the forms have for a setting. */
const fields: Record<string, Word> = {
	name: "name",
	renamed: "changeRenamed",
	enabled: "enabled",
	mail_system: "mailSystem",
	system: "system",
	password: "password",
	quota: "quota",
	forward: "forwardTo",
	forward_copy: "forwardCopy",
	routed: "changeRouted",
	home: "homeColumn",
	member: "changeMember",
	relay: "relay",
	forward_unknown: "forwardUnknown",
	aliases: "aliases",
	catch_all: "catchAll",
	postmaster: "postmaster",
	own_senders: "ownSenders",
	from_header: "fromHeader",
	senders: "senders",
	members_may_send: "membersSend",
	description: "description",
	max_message_size: "maxMessageSize",
	outgoing: "outgoing",
	hosts: "hosts",
	tls: "tls",
	user: "systemUser",
	trust: "trust",
	may_relay: "mayRelay",
	xclient: "xclient",
	smart_host: "smartHost",
	when_down: "whenDown",
	connections: "limit_connections",
	mails_per_connection: "limit_mails_per_connection",
	recipients_per_mail: "limit_recipients_per_mail",
	mails_per_minute: "limit_mails_per_minute",
	address_family: "addressFamily",
	socket: "filterSocket",
	listeners: "listeners",
	direction: "filterMail",
	timeout: "filterTimeout",
	position: "filterPosition",
	role: "role",
	domain: "domain",
	totp: "secondFactor",
	recovery_code: "recoveryCode",
};

const values: Record<string, Record<string, Word>> = {
	mail_system: { hosted: "hosted", alternate: "alternate", none: "noMail" },
	home: { hosted: "homeHosted", alternate: "homeAlternate", both: "homeBoth", none: "homeNone" },
	from_header: { accept: "fromHeaderAccept", own: "fromHeaderOwn" },
	own_senders: { accept: "ownSendersAccept", refuse: "ownSendersRefuse", verify: "ownSendersVerify" },
	when_down: {
		"keep-known": "whenDown_keep_known", "keep-all": "whenDown_keep_all", defer: "whenDown_defer",
		later: "filterDown_later", accept: "filterDown_accept", hold: "filterDown_hold",
	},
	direction: { both: "filterMail_both", in: "filterMail_in", out: "filterMail_out" },
	role: { superadmin: "role_superadmin", "domain-admin": "role_domain_admin", delegate: "role_delegate" },
};
const anywhere: Record<string, Word> = {
	yes: "yes",
	no: "no",
	on: "on",
	off: "off",
	set: "changePasswordSet",
	removed: "changePasswordRemoved",
};
const flags = ["members_may_send", "enabled", "routed", "forward_copy", "forward_unknown", "may_relay", "xclient", "smart_host", "totp", "password"];

export const nounOf = ({ noun }: Change, say: Say) => (nouns[noun] ? say(nouns[noun]) : noun);

function valueOf({ field }: Change, value: string, say: Say): string {
	const word = values[field]?.[value] ?? (flags.includes(field) ? anywhere[value] : undefined);
	if (word) return say(word);
	const listed = `${field === "tls" ? "tls" : field === "address_family" ? "addressFamily" : ""}_${value}`;
	return isWord(listed) ? say(listed) : value;
}

const events = ["created", "deleted", "restored", "erased", "added", "removed"] as const;
const isEvent = (field: string): field is (typeof events)[number] => (events as readonly string[]).includes(field);

/** "User: created", "Address: added b@*", "Mail system: Splitmail → No mail" */
export function changeText(change: Change, say: Say): string {
	const { field } = change;
	if (isEvent(field)) {
		const what = change.new || change.old;
		const said = say(`change_${field}`, { noun: nounOf(change, say) });
		return what && what !== change.subject ? say("labelled", { label: said, value: what }) : said;
	}
	const label = fields[field] ? say(fields[field]) : field.replace(/_/g, " ");
	if (field === "member") {
		const said = say(change.new ? "change_added" : "change_removed", { noun: label });
		return say("labelled", { label: said, value: change.new || change.old });
	}
	const [before, after] = [valueOf(change, change.old, say), valueOf(change, change.new, say)];
	if (!before || field === "password") return say("labelled", { label, value: after || "—" });
	return say("labelled", { label, value: `${before} → ${after || "—"}` });
}

/** "console:admin0" as people say it. */
export function whoText(who: string, say: Say): string {
	const [where, ...name] = who.split(":");
	if (name.length === 0) return who;
	if (where === "console") return name.join(":");
	if (where === "cli") return say("byCommandLine", { name: name.join(":") });
	return who;
}
