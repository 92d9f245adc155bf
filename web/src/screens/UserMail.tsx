import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { domains, queue, systems, users } from "../api";
import type { Domain, MailSystem, User, UserChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { AddressTable, rowsOf, settingsOf } from "../parts/AddressTable";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { Form, SaveBar, sizeOf, sizeText, textOf } from "../parts/form";
import { domainPath } from "../parts/page";
import { addressesOf } from "../parts/pasted";
import { Used } from "../parts/Used";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Say } from "../words";

const draftOf = (u: User) => ({
	mail_system: u.mail_system,
	system: u.system ?? "",
	rows: rowsOf(u.addresses),
	forward: textOf(u.forward),
	forward_copy: u.forward_copy,
	quota: sizeText(u.quota),
});
type Draft = ReturnType<typeof draftOf>;

const changeOf = (draft: Draft): UserChange => ({
	mail_system: draft.mail_system,
	system: draft.system || null,
	addresses: settingsOf(draft.rows, true),
	forward: addressesOf(draft.forward),
	forward_copy: draft.forward_copy,
	quota: sizeOf(draft.quota),
});

/** What Save will do, said before it is done. */
function effectOf(draft: Draft, before: User, relay: string, say: Say): string {
	const all = draft.rows.length;
	const target = draft.system || relay;
	const said: string[] = [];
	if (draft.mail_system === "alternate") {
		const routed = draft.rows.filter((row) => row.routed).length;
		said.push(say("effectRouted", { n: routed, system: target }));
		if (all > routed) said.push(say("effectRefused", { n: all - routed }));
	} else if (draft.mail_system === "hosted") {
		const here = draft.rows.filter((r) => r.home === "hosted" || r.home === "both").length;
		const there = draft.rows.filter((r) => r.home === "alternate" || r.home === "both").length;
		said.push(say("effectHosted", { n: here }));
		if (before.password === "none") said.push(say("passwordNone"));
		if (there > 0) said.push(say("effectElsewhere", { n: there, system: target }));
	} else {
		said.push(say("effectNoMail", { n: all }));
	}
	if (before.mail_system === "hosted" && draft.mail_system !== "hosted")
		said.push(say("effectAccess"));
	return said.join(" ");
}

interface SystemChoiceProps {
	draft: Draft;
	domain: Domain | undefined;
	error: string | null;
	onChange: (name: string) => void;
}

function SystemChoice({ draft, domain, error, onChange }: SystemChoiceProps) {
	const { say } = useWords();
	const named = useQuery({ queryKey: ["systems"], queryFn: systems.list });
	const names = named.data?.items.map((s) => s.name) ?? [];
	if (draft.system && !names.includes(draft.system)) names.push(draft.system);
	return (
		<Select
			label={say("system")}
			data-field="system"
			error={error}
			data={[
				{
					value: "",
					label: domain?.relay ? say("domainRelay", { relay: domain.relay }) : say("domainRelayNone"),
					disabled: domain?.relay === "",
				},
				...names.map((name) => ({ value: name, label: name })),
			]}
			value={draft.system}
			onChange={(value) => onChange(value ?? "")}
		/>
	);
}

/** The Mail tab: the user's mail system, and which addresses go where. */
export function UserMail({ read, at }: { read: Versioned<User>; at: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const editor = useEditor({
		key: ["user", at],
		form: "mail",
		read,
		draftOf,
		changeOf,
		change: (change: UserChange, version) => users.change(read.value.address, change, version),
	});
	const { base, draft, dirty, type, attempt } = editor;
	const field = fieldsOf(editor);
	const domain = useQuery({
		queryKey: ["domain", base.domain],
		queryFn: () => domains.get(base.domain),
	}).data?.value;
	const named = useQuery({ queryKey: ["systems"], queryFn: systems.list });
	const waiting = useQuery({
		queryKey: ["queue", "of", base.address],
		queryFn: () => queue.list({ recipient: base.address, limit: 500 }),
		enabled: mayRoute && dirty,
	});
	const waits = waiting.data?.items.length ?? 0;
	const waitsMore = Boolean(waiting.data?.next_cursor);
	const elsewhere = Boolean(domain?.relay) || (named.data?.items.length ?? 0) > 0;
	const noElsewhere = domain !== undefined && named.isSuccess && !elsewhere;

	function submit() {
		if (draft.rows.some((row) => !row.left.trim()))
			return attempt.refuse("addresses", say("leftPartMissing"));
		void editor.save();
	}

	return (
		<Form attempt={attempt} onSubmit={submit}>
			<div className="stack fields">
				<Select
					label={say("mailSystem")}
					data-field="mail_system"
					error={attempt.errorOf("mail_system")}
					data={[
						{ value: "hosted", label: say("hosted") },
						{
							value: "alternate",
							label: say("alternate"),
							disabled: noElsewhere && draft.mail_system !== "alternate",
						},
						{ value: "none", label: say("noMail") },
					]}
					value={draft.mail_system}
					onChange={(value) =>
						type({
							mail_system: value as MailSystem,
							// Without a relay the first named system is the only choice.
							...(value === "alternate" && domain?.relay === "" && !draft.system
								? { system: named.data?.items[0]?.name ?? "" }
								: {}),
						})
					}
				/>
				{noElsewhere && (
					<p className="notice there">
						{say("alternateNoRelay", { domain: base.domain })}{" "}
						<Link href={domainPath(base.domain, "mail")}>{say("setRelay")}</Link>
					</p>
				)}
				{(draft.mail_system === "alternate" || draft.rows.some((r) => r.home === "alternate" || r.home === "both")) && (
					<SystemChoice
						draft={draft}
						domain={domain}
						error={attempt.errorOf("system")}
						onChange={(system) => type({ system })}
					/>
				)}
			</div>
			<section className="stack tight fields" aria-labelledby="addresses">
				<h2 id="addresses">{say("addresses")}</h2>
				{draft.mail_system === "alternate" && <p>{say("alternateSentence")}</p>}
				{draft.mail_system === "none" && <p className="hint">{say("noMailHint")}</p>}
				<AddressTable
					label={say("addressesOf", { name: base.name || base.address })}
					rows={draft.rows}
					names={domain ? [domain.name, ...domain.aliases] : [base.domain]}
					show={draft.mail_system === "none" ? "plain" : draft.mail_system}
					elsewhere={elsewhere}
					errorOf={attempt.errorOf}
					onChange={(rows) => type({ rows })}
				/>
			</section>
			{draft.mail_system === "hosted" && (
				<div className="stack fields">
					<h2>{say("forwarding")}</h2>
					<TextInput
						label={say("forwardTo")}
						description={say("forwardToHint")}
						{...field.text("forward")}
					/>
					<CheckField
						label={say("forwardCopy")}
						data-field="forward_copy"
						checked={draft.forward_copy}
						onChange={(e) => type({ forward_copy: e.currentTarget.checked })}
					/>
					<h2>{say("storage")}</h2>
					<TextInput
						label={say("quota")}
						description={say("quotaHint")}
						{...field.text("quota")}
					/>
					<Used of={read.value} />
				</div>
			)}
			<SaveBar
				of={editor}
				effect={
					effectOf(draft, base, domain?.relay ?? "", say) +
					(waits > 0 ? ` ${say(waitsMore ? "effectQueueMore" : "effectQueue", { n: waits, address: base.address })}` : "")
				}
			/>
		</Form>
	);
}
