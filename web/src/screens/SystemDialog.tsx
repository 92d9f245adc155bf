import { Select, TextInput } from "@mantine/core";
import { systems } from "../api";
import type { System, SystemChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { listOf, textOf, useAttempt } from "../parts/form";
import { Learnt } from "../parts/Learnt";
import { RelayTest } from "../parts/RelayTest";
import { PasswordField } from "../parts/PasswordField";
import { RecordDialog, RecordForm } from "../parts/record";
import { useWords } from "../words";

type Tls = System["tls"];
type WhenDown = System["when_down"];
type Family = System["address_family"];

/** As it is spelled in the words. */
export const whenDownWord = (when: WhenDown) => when.replace("-", "_") as "keep_known" | "keep_all" | "defer";

const counts = [
	"connections",
	"mails_per_connection",
	"recipients_per_mail",
	"mails_per_minute",
] as const;

/** A number as it is typed; empty: not set. */
const countText = (n: number | null | undefined) => (n ? String(n) : "");
const countOf = (text: string) => text.trim() || null;

const draftOf = (s: System | null) => ({
	name: s?.name ?? "",
	hosts: s?.hosts ?? "",
	tls: s?.tls ?? ("opportunistic" as Tls),
	user: s?.user ?? "",
	password: "",
	trust: textOf(s?.trust ?? []),
	may_relay: s?.may_relay ?? false,
	xclient: s?.xclient ?? false,
	smart_host: s?.smart_host ?? false,
	when_down: s?.when_down ?? ("keep-known" as WhenDown),
	connections: countText(s?.connections),
	mails_per_connection: countText(s?.mails_per_connection),
	recipients_per_mail: countText(s?.recipients_per_mail),
	mails_per_minute: countText(s?.mails_per_minute),
	address_family: s?.address_family ?? ("any" as Family),
	outgoing: s?.outgoing ?? "",
});

function changeOf(draft: ReturnType<typeof draftOf>): SystemChange {
	const { name: _, password, trust, ...rest } = draft;
	return {
		...rest,
		trust: listOf(trust),
		...(password && { password }),
		connections: countOf(draft.connections),
		mails_per_connection: countOf(draft.mails_per_connection),
		outgoing: draft.outgoing.trim(),
		recipients_per_mail: countOf(draft.recipients_per_mail),
		mails_per_minute: countOf(draft.mails_per_minute),
	};
}

function SystemForm({ read, onClose }: { read: Versioned<System> | null; onClose: () => void }) {
	const { say } = useWords();
	const attempt = useAttempt();
	const { base, draft, type, forget } = useTypedOver<System | null, ReturnType<typeof draftOf>>(
		["system", read?.value.name ?? ""],
		"",
		read ?? { value: null, version: null },
		draftOf,
	);
	const field = fieldsOf({ attempt, draft, type });
	const name = draft.name.trim();

	return (
		<RecordForm
			attempt={attempt}
			forget={forget}
			label={say("mailSystems")}
			name={name}
			isNew={read === null}
			onSubmit={() =>
				read
					? systems.change(read.value.name, changeOf(draft), base.version)
					: systems.create(name, changeOf(draft))
			}
			onClose={onClose}
			deletion={
				read
					? {
							title: say("deleteSystem"),
							text: say("deleteSystemText", { name }),
							remove: () => systems.remove(name),
						}
					: undefined
			}
		>
			<TextInput
				label={say("name")}
				{...field.text("name")}
				readOnly={read !== null}
				variant={read ? "filled" : undefined}
				required={!read}
				data-autofocus={read ? undefined : true}
			/>
			<TextInput
				label={say("hosts")}
				description={say("hostsHint")}
				{...field.text("hosts")}
				autoCapitalize="none"
				spellCheck={false}
				required
			/>
			<RelayTest
				hosts={draft.hosts}
				tls={draft.tls}
				address_family={draft.address_family}
				missing={say("testNoHosts")}
			/>
			<TextInput
				label={say("trust")}
				description={say("trustHint")}
				placeholder="192.0.2.10, 2001:db8:5::/48"
				{...field.text("trust")}
				autoCapitalize="none"
				spellCheck={false}
			/>
			<div className="row" style={{ alignItems: "flex-start" }}>
				<Select
					className="grow"
					label={say("tls")}
					description={say(`tlsHint_${draft.tls}`)}
					data-field="tls"
					error={attempt.errorOf("tls")}
					data={(["none", "opportunistic", "required", "verified"] as const).map((tls) => ({
						value: tls,
						label: say(`tls_${tls}`),
					}))}
					value={draft.tls}
					onChange={(tls) => type({ tls: tls as Tls })}
				/>
				<Select
					className="grow"
					label={say("whenDown")}
					description={say(`whenDownHint_${whenDownWord(draft.when_down)}`)}
					data-field="when_down"
					error={attempt.errorOf("when_down")}
					data={[
						{ value: "keep-known", label: say("whenDown_keep_known") },
						{ value: "keep-all", label: say("whenDown_keep_all") },
						{ value: "defer", label: say("whenDown_defer") },
					]}
					value={draft.when_down}
					onChange={(value) => type({ when_down: value as WhenDown })}
				/>
			</div>
			<div className="row" style={{ alignItems: "flex-start" }}>
				<TextInput
					className="grow"
					label={say("systemUser")}
					{...field.text("user")}
					autoComplete="off"
				/>
				<PasswordField
					className="grow"
					label={say("password")}
					description={read?.value.password === "set" ? say("systemPasswordKept") : undefined}
					{...field.text("password")}
					autoComplete="new-password"
				/>
			</div>
			<CheckField
				label={say("mayRelay")}
				description={say("mayRelayHint")}
				{...field.check("may_relay")}
			/>
			<CheckField
				label={say("xclient")}
				description={say("xclientHint")}
				{...field.check("xclient")}
			/>
			<CheckField
				label={say("smartHost")}
				description={say("smartHostHint")}
				{...field.check("smart_host")}
			/>
			<section className="stack" aria-labelledby="limits">
				<h3 id="limits">{say("limits")}</h3>
				<p className="small">{say("limitsHint")}</p>
				<div className="row" style={{ alignItems: "flex-start" }}>
					{counts.map((count) => (
						<TextInput
							key={count}
							className="grow"
							label={say(`limit_${count}`)}
							description={say(`limitHint_${count}`)}
							{...field.text(count)}
							inputMode="numeric"
							placeholder={say("notSet")}
						/>
					))}
				</div>
				<Select
					label={say("addressFamily")}
					description={say("addressFamilyHint")}
					data-field="address_family"
					error={attempt.errorOf("address_family")}
					data={(["any", "ipv4", "ipv6"] as const).map((family) => ({
						value: family,
						label: say(`addressFamily_${family}`),
					}))}
					value={draft.address_family}
					onChange={(family) => type({ address_family: family as Family })}
				/>
				<TextInput
					label={say("outgoing")}
					description={say("systemOutgoingHint")}
					placeholder="192.0.2.25, 2001:db8::25"
					{...field.text("outgoing")}
					autoCapitalize="none"
					spellCheck={false}
				/>
				{read && <Learnt facts={read.value.learnt} />}
			</section>
		</RecordForm>
	);
}

/** name: the one to edit; null: a new one; undefined: closed. */
export function SystemDialog({ name, onClose }: { name: string | null | undefined; onClose: () => void }) {
	const { say } = useWords();
	return (
		<RecordDialog
			name={name}
			newTitle={say("newSystem")}
			get={systems.get}
			queryKey="system"
			size="xl"
			onClose={onClose}
		>
			{(read) => <SystemForm read={read} onClose={onClose} />}
		</RecordDialog>
	);
}
