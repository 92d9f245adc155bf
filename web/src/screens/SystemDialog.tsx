import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { systems } from "../api";
import type { System, SystemChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { Confirm, Dialog } from "../parts/dialog";
import { Form, listOf, textOf, useAttempt } from "../parts/form";
import { RelayTest } from "../parts/RelayTest";
import { Await } from "../parts/states";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWords } from "../words";

type Tls = System["tls"];
type WhenDown = System["when_down"];

const draftOf = (s: System | null) => ({
	name: s?.name ?? "",
	hosts: s?.hosts ?? "",
	tls: s?.tls ?? ("opportunistic" as Tls),
	user: s?.user ?? "",
	password: "",
	trust: textOf(s?.trust ?? []),
	may_relay: s?.may_relay ?? false,
	smart_host: s?.smart_host ?? false,
	when_down: s?.when_down ?? ("keep-known" as WhenDown),
});

function changeOf(draft: ReturnType<typeof draftOf>): SystemChange {
	const { name: _, password, trust, ...rest } = draft;
	return { ...rest, trust: listOf(trust), ...(password && { password }) };
}

function SystemForm({ read, onClose }: { read: Versioned<System> | null; onClose: () => void }) {
	const { say } = useWords();
	const attempt = useAttempt();
	const [draft, setDraft] = useState(() => draftOf(read?.value ?? null));
	const [deleting, setDeleting] = useState(false);
	const type = (change: Partial<typeof draft>) => setDraft({ ...draft, ...change });
	const name = draft.name.trim();

	async function save() {
		if (!name) return attempt.refuse("name", say("required"));
		const done = await attempt.run(() =>
			read
				? systems.change(read.value.name, changeOf(draft), read.version)
				: systems.create(name, changeOf(draft)),
		);
		if (!done) return;
		tell(say, read ? say("saved") : say("created", { name }));
		onClose();
	}

	return (
		<>
			<Form attempt={attempt} onSubmit={save} label={say("mailSystems")}>
				<TextInput
					label={say("name")}
					data-field="name"
					error={attempt.errorOf("name")}
					value={draft.name}
					onChange={(e) => type({ name: e.currentTarget.value })}
					readOnly={read !== null}
					variant={read ? "filled" : undefined}
					required={!read}
					data-autofocus={read ? undefined : true}
				/>
				<TextInput
					label={say("hosts")}
					description={say("hostsHint")}
					data-field="hosts"
					error={attempt.errorOf("hosts")}
					value={draft.hosts}
					onChange={(e) => type({ hosts: e.currentTarget.value })}
					autoCapitalize="none"
					spellCheck={false}
					required
				/>
				<RelayTest hosts={draft.hosts} />
				<div className="row" style={{ alignItems: "flex-start" }}>
					<Select
						className="grow"
						label={say("tls")}
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
						data-field="user"
						error={attempt.errorOf("user")}
						value={draft.user}
						onChange={(e) => type({ user: e.currentTarget.value })}
						autoComplete="off"
					/>
					<PasswordField
						className="grow"
						label={say("password")}
						description={read?.value.password === "set" ? say("systemPasswordKept") : undefined}
						data-field="password"
						error={attempt.errorOf("password")}
						value={draft.password}
						onChange={(e) => type({ password: e.currentTarget.value })}
						autoComplete="new-password"
					/>
				</div>
				<TextInput
					label={say("trust")}
					description={say("trustHint")}
					data-field="trust"
					error={attempt.errorOf("trust")}
					value={draft.trust}
					onChange={(e) => type({ trust: e.currentTarget.value })}
				/>
				<CheckField
					label={say("mayRelay")}
					data-field="may_relay"
					error={attempt.errorOf("may_relay")}
					checked={draft.may_relay}
					onChange={(e) => type({ may_relay: e.currentTarget.checked })}
				/>
				<CheckField
					label={say("smartHost")}
					data-field="smart_host"
					error={attempt.errorOf("smart_host")}
					checked={draft.smart_host}
					onChange={(e) => type({ smart_host: e.currentTarget.checked })}
				/>
				<div className="row end">
					{read && (
						<Button color="red" variant="outline" onClick={() => setDeleting(true)} style={{ marginRight: "auto" }}>
							{say("delete")}
						</Button>
					)}
					<Button variant="default" onClick={onClose}>
						{say("cancel")}
					</Button>
					<Button type="submit" loading={attempt.busy}>
						{say(read ? "save" : "create")}
					</Button>
				</div>
			</Form>
			<Confirm
				title={say("deleteSystem")}
				text={say("deleteSystemText", { name })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={() => systems.remove(name)}
				onDone={() => {
					tell(say, say("deleted", { name }));
					onClose();
				}}
			/>
		</>
	);
}

function SystemEditor({ name, onClose }: { name: string; onClose: () => void }) {
	const query = useQuery({ queryKey: ["system", name], queryFn: () => systems.get(name), gcTime: 0 });
	return <Await query={query}>{(read) => <SystemForm read={read} onClose={onClose} />}</Await>;
}

/** name: the one to edit; null: a new one; undefined: closed. */
export function SystemDialog({ name, onClose }: { name: string | null | undefined; onClose: () => void }) {
	const { say } = useWords();
	return (
		<Dialog title={name ?? say("newSystem")} opened={name !== undefined} onClose={onClose} size="xl">
			{name === null && <SystemForm read={null} onClose={onClose} />}
			{typeof name === "string" && <SystemEditor name={name} onClose={onClose} />}
		</Dialog>
	);
}
