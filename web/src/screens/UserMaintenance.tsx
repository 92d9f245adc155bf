import { Button } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { users } from "../api";
import type { User, Versioned } from "../api";
import { Confirm } from "../parts/dialog";
import { forgetDrafts, useTypedOver } from "../parts/drafts";
import { Form, useAttempt } from "../parts/form";
import { entryPath } from "../parts/page";
import { Rename } from "../parts/Rename";
import { tell } from "../parts/tell";
import { useTellDeleted } from "../parts/undelete";
import { NewPasswordField, passwordLeast } from "../parts/PasswordField";
import { useWords } from "../words";

const nothingTyped = () => ({ password: "" });

export function UserMaintenance({ read, at }: { read: Versioned<User>; at: string }) {
	const user = read.value;
	const { say } = useWords();
	const tellDeleted = useTellDeleted();
	const [, go] = useLocation();
	const { draft, type, forget } = useTypedOver(["user", at], "maintenance", read, nothingTyped);
	const { password } = draft;
	const [deleting, setDeleting] = useState(false);
	const attempt = useAttempt();

	async function save() {
		if (!password) return attempt.refuse("password", say("required"));
		if (password.length < passwordLeast)
			return attempt.refuse("password", say("passwordTooShort", { n: passwordLeast }));
		if (!(await attempt.run(() => users.change(user.address, { password }, null)))) return;
		forget();
		tell(say, say("passwordSaved"));
	}

	return (
		<div className="stack fields">
			<Form attempt={attempt} onSubmit={save} label={say("password")}>
				<h2>{say("password")}</h2>
				<p className="hint">{say(user.password === "set" ? "passwordSet" : "passwordNone")}</p>
				<NewPasswordField
					label={say("newPassword")}
					data-field="password"
					error={attempt.errorOf("password")}
					value={password}
					onChange={(e) => type({ password: e.currentTarget.value })}
					onMake={(made) => {
						attempt.forget();
						type({ password: made });
					}}
				/>
				<div>
					<Button type="submit" loading={attempt.busy}>
						{say("setPassword")}
					</Button>
				</div>
			</Form>
			<hr style={{ width: "100%", border: 0, borderTop: "1px solid var(--line)" }} />
			<h2>{say("renameAddress")}</h2>
			<div>
				<Rename
					of={["user", at]}
					name={user.address}
					field="address"
					rename={users.rename}
					onRenamed={(now) => go(`${entryPath("user", now)}/maintenance`)}
				/>
			</div>
			<hr style={{ width: "100%", border: 0, borderTop: "1px solid var(--line)" }} />
			<h2>{say("deleteUser")}</h2>
			<div>
				<Button color="red" variant="outline" onClick={() => setDeleting(true)}>
					{say("deleteUser")}
				</Button>
			</div>
			<Confirm
				title={say("deleteUser")}
				text={say("deleteUserText", { address: user.address, n: user.addresses.length })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={(along) => users.remove(user.address, along)}
				onDone={(along) => {
					forgetDrafts(["user", at]);
					tellDeleted(user.address, along);
					go("/directory");
				}}
			/>
		</div>
	);
}
