import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { administrators, Problem } from "../api";
import type { Administrator, Role, Versioned } from "../api";
import { Confirm } from "../parts/dialog";
import { DomainField, useLikelyDomain } from "../parts/DomainField";
import { settleDrafts, useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { useAttempt } from "../parts/form";
import { RecordDialog, RecordForm } from "../parts/record";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWho } from "../session";
import { useWords } from "../words";
import { roleHint, roleWord } from "./Administrators";

const roles: Role[] = ["superadmin", "domain-admin", "delegate"];

const draftOf = (a: Administrator | null) => ({
	name: a?.name ?? "",
	role: a?.role ?? ("domain-admin" as Role),
	domain: a?.domain ?? null,
	password: "",
});

function AdministratorForm({ read, onClose }: { read: Versioned<Administrator> | null; onClose: () => void }) {
	const { say } = useWords();
	const { session } = useWho();
	const likely = useLikelyDomain();
	const attempt = useAttempt();
	const [resetting, setResetting] = useState(false);
	const thing = ["administrator", read?.value.name ?? ""] as const;
	const { base, draft, type, forget } = useTypedOver<Administrator | null, ReturnType<typeof draftOf>>(
		thing,
		"",
		read ?? { value: null, version: null },
		draftOf,
	);
	const field = fieldsOf({ attempt, draft, type });
	const domain = draft.domain ?? likely;
	const name = draft.name.trim();
	const isOther = read !== null && read.value.name !== session.name;

	const change = {
		role: draft.role,
		domain: draft.role === "superadmin" ? null : domain,
		...(draft.password && { password: draft.password }),
	};

	async function put() {
		if (draft.role !== "superadmin" && !domain)
			throw new Problem(422, say("required"), "domain");
		if (read) await administrators.change(read.value.name, change, base.version);
		else await administrators.create(name, change);
	}

	return (
		<>
			<RecordForm
				attempt={attempt}
				forget={forget}
				label={say("administrators")}
				name={name}
				isNew={read === null}
				onSubmit={put}
				onClose={onClose}
				deletion={
					isOther
						? {
								title: say("deleteAdministrator"),
								text: say("deleteAdministratorText", { name }),
								remove: () => administrators.remove(name),
							}
						: undefined
				}
			>
				<TextInput
					label={say("name")}
					description={read ? undefined : say("administratorNameHint")}
					{...field.text("name")}
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
					<DomainField attempt={attempt} value={domain} onChange={(chosen) => type({ domain: chosen })} />
				)}
				{(isOther || !read) && (
					<PasswordField
						label={say("password")}
						description={read?.value.password === "set" ? say("systemPasswordKept") : undefined}
						{...field.text("password")}
						autoComplete="new-password"
					/>
				)}
				{isOther && read.value.totp === "on" && (
					<div className="row">
						<p className="grow">{say("secondFactorOfOther")}</p>
						<Button color="red" variant="outline" onClick={() => setResetting(true)}>
							{say("switchOffSecondFactor")}
						</Button>
					</div>
				)}
			</RecordForm>
			<Confirm
				title={say("switchOffSecondFactor")}
				text={say("switchOffOtherText", { name })}
				action={say("switchOff")}
				opened={resetting}
				onClose={() => setResetting(false)}
				onConfirm={async () =>
					settleDrafts(thing, base.version, await administrators.change(name, { totp: "off" }, null))
				}
				onDone={() => tell(say, say("switchedOffOther", { name }))}
			/>
		</>
	);
}

/** name: the one to edit; null: a new one; undefined: closed. */
export function AdministratorDialog({ name, onClose }: { name: string | null | undefined; onClose: () => void }) {
	const { say } = useWords();
	return (
		<RecordDialog
			name={name}
			newTitle={say("newAdministrator")}
			get={administrators.get}
			queryKey="administrator"
			onClose={onClose}
		>
			{(read) => <AdministratorForm read={read} onClose={onClose} />}
		</RecordDialog>
	);
}
