import { Button } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { users } from "../api";
import type { User } from "../api";
import { Confirm } from "../parts/dialog";
import { forgetDrafts } from "../parts/drafts";
import { Form, useAttempt } from "../parts/form";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWords } from "../words";

export function UserMaintenance({ user }: { user: User }) {
	const { say } = useWords();
	const [, go] = useLocation();
	const [password, setPassword] = useState("");
	const [deleting, setDeleting] = useState(false);
	const attempt = useAttempt();

	async function save() {
		if (!password) return attempt.refuse("password", say("required"));
		if (!(await attempt.run(() => users.change(user.address, { password }, null)))) return;
		setPassword("");
		tell(say, say("passwordSaved"));
	}

	return (
		<div className="stack fields">
			<Form attempt={attempt} onSubmit={save} label={say("password")}>
				<h2>{say("password")}</h2>
				<p className="hint">{say(user.password === "set" ? "passwordSet" : "passwordNone")}</p>
				<PasswordField
					label={say("newPassword")}
					data-field="password"
					error={attempt.errorOf("password")}
					value={password}
					onChange={(e) => setPassword(e.currentTarget.value)}
					autoComplete="new-password"
				/>
				<div>
					<Button type="submit" loading={attempt.busy}>
						{say("setPassword")}
					</Button>
				</div>
			</Form>
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
				onConfirm={() => users.remove(user.address)}
				onDone={() => {
					forgetDrafts(["user", user.address]);
					tell(say, say("deleted", { name: user.address }));
					go("/directory");
				}}
			/>
		</div>
	);
}
