import { Button } from "@mantine/core";
import { useState } from "react";
import { session as api } from "../api";
import { Form, useAttempt } from "../parts/form";
import { PasswordField } from "../parts/PasswordField";
import { tell } from "../parts/tell";
import { useWords } from "../words";

export function AccountPassword() {
	const { say } = useWords();
	const [current, setCurrent] = useState("");
	const [fresh, setFresh] = useState("");
	const attempt = useAttempt();

	async function save() {
		if (!current) return attempt.refuse("current", say("required"));
		if (!fresh) return attempt.refuse("new", say("required"));
		if (!(await attempt.run(() => api.changePassword(current, fresh)))) return;
		setCurrent("");
		setFresh("");
		tell(say, say("passwordChanged"));
	}

	return (
		<div className="fields">
			<Form attempt={attempt} onSubmit={save} label={say("changePassword")}>
				<PasswordField
					label={say("currentPassword")}
					data-field="current"
					error={attempt.errorOf("current")}
					value={current}
					onChange={(e) => setCurrent(e.currentTarget.value)}
					autoComplete="current-password"
				/>
				<PasswordField
					label={say("newPassword")}
					data-field="new"
					error={attempt.errorOf("new")}
					value={fresh}
					onChange={(e) => setFresh(e.currentTarget.value)}
					autoComplete="new-password"
				/>
				<div>
					<Button type="submit" loading={attempt.busy}>
						{say("changePassword")}
					</Button>
				</div>
			</Form>
		</div>
	);
}
