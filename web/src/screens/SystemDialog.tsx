import { Select, TextInput } from "@mantine/core";
import { systems } from "../api";
import type { System, SystemChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { fieldsOf, useTyped } from "../parts/fields";
import { listOf, textOf, useAttempt } from "../parts/form";
import { RelayTest } from "../parts/RelayTest";
import { PasswordField } from "../parts/PasswordField";
import { RecordDialog, RecordForm } from "../parts/record";
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
	const [draft, type] = useTyped(() => draftOf(read?.value ?? null));
	const field = fieldsOf({ attempt, draft, type });
	const name = draft.name.trim();

	return (
		<RecordForm
			attempt={attempt}
			label={say("mailSystems")}
			name={name}
			isNew={read === null}
			onSubmit={() =>
				read
					? systems.change(read.value.name, changeOf(draft), read.version)
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
			<TextInput
				label={say("trust")}
				description={say("trustHint")}
				{...field.text("trust")}
			/>
			<CheckField
				label={say("mayRelay")}
				{...field.check("may_relay")}
			/>
			<CheckField
				label={say("smartHost")}
				{...field.check("smart_host")}
			/>
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
