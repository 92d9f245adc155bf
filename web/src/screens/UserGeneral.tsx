import { TextInput } from "@mantine/core";
import { users } from "../api";
import type { User, Versioned } from "../api";
import { SwitchField } from "../parts/CheckField";
import { useDraft } from "../parts/draft";
import { Form, SaveBar, useAttempt } from "../parts/form";
import { tell } from "../parts/tell";
import { useWords } from "../words";

const draftOf = (u: User) => ({ name: u.name, enabled: u.enabled });

export function UserGeneral({ read, at }: { read: Versioned<User>; at: string }) {
	const { say } = useWords();
	const attempt = useAttempt();
	const { base, draft, dirty, version, type, restart } = useDraft(["user", at], read, draftOf);

	async function save() {
		const before = draftOf(base);
		const done = await attempt.run(async () => {
			await users.change(base.address, draft, version);
			restart(await users.get(base.address));
		});
		if (!done) return;
		tell(say, say("saved"), () =>
			attempt.run(async () => {
				await users.change(base.address, before, null);
				restart(await users.get(base.address));
				tell(say, say("undone"));
			}),
		);
	}

	return (
		<Form attempt={attempt} onSubmit={save}>
			<div className="stack fields">
				<TextInput
					label={say("displayName")}
					data-field="name"
					error={attempt.errorOf("name")}
					value={draft.name}
					onChange={(e) => type({ name: e.currentTarget.value })}
				/>
				<TextInput
					label={say("login")}
					description={say("loginHint")}
					value={base.address}
					readOnly
					variant="filled"
				/>
				<SwitchField
					label={say("enabled")}
					description={say("userEnabledHint")}
					data-field="enabled"
					error={attempt.errorOf("enabled")}
					checked={draft.enabled}
					onChange={(e) => type({ enabled: e.currentTarget.checked })}
				/>
			</div>
			<SaveBar
				attempt={attempt}
				dirty={dirty}
				onCancel={() => {
					attempt.forget();
					restart();
				}}
			/>
		</Form>
	);
}
