import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { domains, entries, systems } from "../api";
import type { Domain, DomainChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { maybeHosts } from "../parts/hosts";
import { Form, SaveBar, sizeOf, sizeText } from "../parts/form";
import { Learnt } from "../parts/Learnt";
import { RelayTest } from "../parts/RelayTest";
import { SplitDrawing } from "../parts/SplitDrawing";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Say, Word } from "../words";

const draftOf = (d: Domain) => ({
	relay: d.relay,
	forward_unknown: d.forward_unknown,
	catch_all: d.catch_all,
	postmaster: d.postmaster,
	own_senders: d.own_senders,
	from_header: d.from_header,
	max_message_size: sizeText(d.max_message_size),
	outgoing: d.outgoing,
});

function changeOf(draft: ReturnType<typeof draftOf>): DomainChange {
	return {
		...draft,
		relay: draft.relay.trim(),
		catch_all: draft.catch_all.trim(),
		postmaster: draft.postmaster.trim(),
		max_message_size: sizeOf(draft.max_message_size),
		outgoing: draft.outgoing.trim(),
	};
}

type Draft = ReturnType<typeof draftOf>;

const otherFields = {
	catch_all: "catchAll",
	postmaster: "postmaster",
	own_senders: "ownSenders",
	from_header: "fromHeader",
	max_message_size: "maxMessageSize",
	outgoing: "outgoing",
} as const satisfies Record<Exclude<keyof Draft, "relay" | "forward_unknown">, Word>;

/** What Save will change, and for how many.  ON RELAY: users whose mail goes
 *  to the domain's relay; undefined: not known yet. */
function effectOf(draft: Draft, before: Domain, onRelay: number | undefined, say: Say): string {
	const was = draftOf(before);
	const relay = draft.relay.trim();
	const n = onRelay ?? before.alternate;
	const said: string[] = [];
	if (relay !== was.relay) {
		if (!maybeHosts(relay || "none")) return say("effectRelayUnclear");
		if (!relay) {
			if (n > 0) return say("effectRelayNeeded", { n });
			said.push(say("effectRelayGone"));
		} else if (!was.relay) said.push(say("effectRelayNew", { relay }));
		else said.push(say("effectRelayOther", { n, relay, before: was.relay }));
	}
	if (draft.forward_unknown !== was.forward_unknown && (relay || !draft.forward_unknown))
		said.push(say(draft.forward_unknown ? "effectUnknownThere" : "effectUnknownRefused", { relay }));
	const others = Object.entries(otherFields)
		.filter(([field]) => draft[field as keyof Draft] !== was[field as keyof Draft])
		.map(([, word]) => say(word));
	if (others.length > 0) said.push(say("effectOthers", { fields: others }));
	return said.join(" ");
}

/** How many of the domain's users go to its relay: those elsewhere, without
 *  those who have a named system of their own. */
function useOnRelay(domain: Domain, wanted: boolean): number | undefined {
	return useQuery({
		queryKey: ["on-relay", domain.name, domain.alternate],
		queryFn: async () => {
			const named = (await systems.list()).items;
			const counts = await Promise.all(
				named.map(({ name }) =>
					entries.list({
						domain: domain.name,
						kind: "user",
						mail_system: "alternate",
						system: name,
						limit: 1,
						count: true,
					}),
				),
			);
			return counts.reduce((left, { total }) => left - (total ?? 0), domain.alternate);
		},
		enabled: wanted && domain.alternate > 0,
	}).data;
}

/** Mail System: Mail Routing with its two settings, and Storage. */
export function DomainMail({ read }: { read: Versioned<Domain> }) {
	const { say } = useWords();
	const { isSuper, mayRoute } = useWho();
	const editor = useEditor({
		key: ["domain", read.value.name],
		form: "mail",
		read,
		draftOf,
		changeOf,
		change: (change: DomainChange, version) => domains.change(read.value.name, change, version),
	});
	const { base, draft, type, attempt } = editor;
	const field = fieldsOf(editor);
	const onRelay = useOnRelay(base, draft.relay.trim() !== base.relay);
	// What cannot be so is not drawn: it stays as it is.
	const routing = JSON.stringify([draft.relay, draft.forward_unknown]);
	const sent = useRef("");
	const refused = attempt.errorOf("relay", "forward_unknown") !== null && sent.current === routing;
	const possible = draft.relay.trim()
		? maybeHosts(draft.relay)
		: !draft.forward_unknown && (base.relay === "" || (onRelay ?? base.alternate) === 0);
	const drawn = possible && !refused ? draft : draftOf(base);

	return (
		<Form
			attempt={attempt}
			onSubmit={() => {
				sent.current = routing;
				void editor.save();
			}}
		>
			<section className="stack" aria-labelledby="mail-routing">
				<h2 id="mail-routing">{say("mailRouting")}</h2>
				<div className="routing">
					<div className="stack">
						<TextInput
							label={say("relay")}
							description={say("relayHint")}
							{...field.text("relay")}
							autoCapitalize="none"
							spellCheck={false}
							disabled={!mayRoute}
						/>
						<CheckField
							label={say("forwardUnknown")}
							description={say("forwardUnknownHint")}
							{...field.check("forward_unknown")}
							disabled={!mayRoute}
						/>
						{mayRoute && <RelayTest hosts={draft.relay} domain={base.name} missing={say("testNoRelay")} />}
						{read.value.relay && <Learnt facts={read.value.learnt} />}
					</div>
					<SplitDrawing
						relay={drawn.relay}
						forwardUnknown={drawn.forward_unknown}
						hosted={base.hosted}
						alternate={base.alternate}
						note={drawn === draft ? undefined : say("drawnAsIs")}
					/>
				</div>
			</section>
			<section className="stack fields" aria-labelledby="special-addresses">
				<h2 id="special-addresses">{say("otherAddresses")}</h2>
				<TextInput
					label={say("catchAll")}
					description={say("catchAllHint")}
					{...field.text("catch_all")}
					disabled={!mayRoute}
				/>
				<TextInput
					label={say("postmaster")}
					description={say("postmasterHint")}
					{...field.text("postmaster")}
					disabled={!mayRoute}
				/>
				<Select
					label={say("ownSenders")}
					data-field="own_senders"
					error={attempt.errorOf("own_senders")}
					data={[
						{ value: "accept", label: say("ownSendersAccept") },
						{ value: "refuse", label: say("ownSendersRefuse") },
						{ value: "verify", label: say("ownSendersVerify") },
					]}
					description={say("ownSendersHint")}
					value={draft.own_senders}
					onChange={(value) =>
						type({
							own_senders: value === "refuse" || value === "verify" ? value : "accept",
						})
					}
					disabled={!mayRoute}
				/>
				<Select
					label={say("fromHeader")}
					description={say("fromHeaderHint")}
					data-field="from_header"
					error={attempt.errorOf("from_header")}
					data={[
						{ value: "accept", label: say("fromHeaderAccept") },
						{ value: "own", label: say("fromHeaderOwn") },
					]}
					value={draft.from_header}
					onChange={(value) => type({ from_header: value === "own" ? "own" : "accept" })}
					disabled={!mayRoute}
				/>
			</section>
			<section className="stack fields" aria-labelledby="leaving">
				<h2 id="leaving">{say("leaving")}</h2>
				<TextInput
					label={say("outgoing")}
					description={say("domainOutgoingHint")}
					placeholder="192.0.2.25, 2001:db8::25"
					{...field.text("outgoing")}
					autoCapitalize="none"
					spellCheck={false}
					disabled={!isSuper}
				/>
			</section>
			<section className="stack fields" aria-labelledby="storage">
				<h2 id="storage">{say("storage")}</h2>
				<TextInput
					label={say("maxMessageSize")}
					description={say("maxMessageSizeHint")}
					{...field.text("max_message_size")}
					disabled={!mayRoute}
				/>
			</section>
			{mayRoute && (
				<SaveBar
					of={editor}
					effect={effectOf(draft, base, onRelay, say)}
				/>
			)}
		</Form>
	);
}
