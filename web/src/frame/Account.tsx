import { Button } from "@mantine/core";
import { useState } from "react";
import { session as api } from "../api";
import { Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { Icon } from "../parts/icons";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWho } from "../session";
import { useWords } from "../words";

/** Who is signed in; a click changes the password. */
export function Account() {
	const { say } = useWords();
	const { session } = useWho();
	const [opened, setOpened] = useState(false);
	const [current, setCurrent] = useState("");
	const [fresh, setFresh] = useState("");
	const attempt = useAttempt();

	const close = () => {
		setOpened(false);
		setCurrent("");
		setFresh("");
		attempt.forget();
	};
	return (
		<>
			<button
				type="button"
				className="bar-button"
				onClick={() => setOpened(true)}
				aria-label={say("account", { name: session.name })}
			>
				<Icon name="user" />
				<span className="wide-only">{session.name}</span>
			</button>
			<Dialog title={say("changePassword")} opened={opened} onClose={close} size="md">
				<Form
					attempt={attempt}
					onSubmit={async () => {
						if (!(await attempt.run(() => api.changePassword(current, fresh)))) return;
						close();
						tell(say, say("passwordChanged"));
					}}
				>
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
					<div className="row end">
						<Button variant="default" onClick={close}>
							{say("cancel")}
						</Button>
						<Button type="submit" loading={attempt.busy}>
							{say("save")}
						</Button>
					</div>
				</Form>
			</Dialog>
		</>
	);
}
