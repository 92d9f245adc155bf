import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { administrators, domains } from "../api";
import type { Administrator, Role, Versioned } from "../api";
import { Confirm, Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { Await } from "../parts/states";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWho } from "../session";
import { useWords } from "../words";
import { roleHint, roleWord } from "./Administrators";

const roles: Role[] = ["superadmin", "domain-admin", "delegate"];

function AdministratorForm({ read, onClose }: { read: Versioned<Administrator> | null; onClose: () => void }) {
	const { say } = useWords();
	const { session, domain: selected } = useWho();
	const attempt = useAttempt();
	const [deleting, setDeleting] = useState(false);
	const [resetting, setResetting] = useState(false);
	const [draft, setDraft] = useState({
		name: read?.value.name ?? "",
		role: read?.value.role ?? ("domain-admin" as Role),
		domain: read ? read.value.domain : selected,
		password: "",
	});
	const type = (change: Partial<typeof draft>) => setDraft({ ...draft, ...change });
	const names = useQuery({ queryKey: ["domains", "names"], queryFn: () => domains.list("", null, 500) });
	const name = draft.name.trim();
	const isOther = read !== null && read.value.name !== session.name;

	async function save() {
		if (!name) return attempt.refuse("name", say("required"));
		const change = {
			role: draft.role,
			domain: draft.role === "superadmin" ? null : draft.domain,
			...(draft.password && { password: draft.password }),
		};
		const done = await attempt.run(() =>
			read
				? administrators.change(read.value.name, change, read.version)
				: administrators.create(name, change),
		);
		if (!done) return;
		tell(say, read ? say("saved") : say("created", { name }));
		onClose();
	}

	return (
		<>
			<Form attempt={attempt} onSubmit={save} label={say("administrators")}>
				<TextInput
					label={say("name")}
					description={read ? undefined : say("administratorNameHint")}
					data-field="name"
					error={attempt.errorOf("name")}
					value={draft.name}
					onChange={(e) => type({ name: e.currentTarget.value })}
					readOnly={read !== null}
					variant={read ? "filled" : undefined}
					required={!read}
					autoComplete="off"
					autoCapitalize="none"
					spellCheck={false}
					data-autofocus={read ? undefined : true}
				/>
				<Select
					label={say("role")}
					description={say(roleHint(draft.role))}
					data-field="role"
					error={attempt.errorOf("role")}
					data={roles.map((role) => ({ value: role, label: say(roleWord(role)) }))}
					value={draft.role}
					onChange={(role) => type({ role: role as Role })}
				/>
				{draft.role !== "superadmin" && (
					<Select
						label={say("domain")}
						data-field="domain"
						error={attempt.errorOf("domain")}
						data={names.data?.items.map((d) => d.name) ?? []}
						searchable
						value={draft.domain}
						onChange={(domain) => type({ domain })}
					/>
				)}
				<PasswordField
					label={say("password")}
					description={read?.value.password === "set" ? say("systemPasswordKept") : undefined}
					data-field="password"
					error={attempt.errorOf("password")}
					value={draft.password}
					onChange={(e) => type({ password: e.currentTarget.value })}
					autoComplete="new-password"
				/>
				{isOther && read.value.totp === "on" && (
					<div className="row">
						<p className="grow">{say("secondFactorOfOther")}</p>
						<Button color="red" variant="outline" onClick={() => setResetting(true)}>
							{say("switchOffSecondFactor")}
						</Button>
					</div>
				)}
				<div className="row end">
					{isOther && (
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
				title={say("switchOffSecondFactor")}
				text={say("switchOffOtherText", { name })}
				action={say("switchOff")}
				opened={resetting}
				onClose={() => setResetting(false)}
				onConfirm={() => administrators.change(name, { totp: "off" }, null)}
				onDone={() => tell(say, say("switchedOffOther", { name }))}
			/>
			<Confirm
				title={say("deleteAdministrator")}
				text={say("deleteAdministratorText", { name })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={() => administrators.remove(name)}
				onDone={() => {
					tell(say, say("deleted", { name }));
					onClose();
				}}
			/>
		</>
	);
}

function AdministratorEditor({ name, onClose }: { name: string; onClose: () => void }) {
	const query = useQuery({
		queryKey: ["administrator", name],
		queryFn: () => administrators.get(name),
		gcTime: 0,
	});
	return <Await query={query}>{(read) => <AdministratorForm read={read} onClose={onClose} />}</Await>;
}

/** name: the one to edit; null: a new one; undefined: closed. */
export function AdministratorDialog({ name, onClose }: { name: string | null | undefined; onClose: () => void }) {
	const { say } = useWords();
	return (
		<Dialog title={name ?? say("newAdministrator")} opened={name !== undefined} onClose={onClose}>
			{name === null && <AdministratorForm read={null} onClose={onClose} />}
			{typeof name === "string" && <AdministratorEditor name={name} onClose={onClose} />}
		</Dialog>
	);
}
