import { Button, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { Problem, session as api } from "../api";
import type { Session } from "../api";
import { Switches } from "../frame/Switches";
import mark from "../mark.svg";
import { CodeField } from "../parts/CodeField";
import { Form, useAttempt } from "../parts/form";
import { PasswordField } from "../parts/PasswordField";
import { sentence } from "../refusals";
import { useWords } from "../words";

export function SignIn({ onSignedIn }: { onSignedIn: (who: Session) => void }) {
	const { say } = useWords();
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [needsCode, setNeedsCode] = useState(false);
	const [busy, setBusy] = useState(false);
	const attempt = useAttempt();

	useEffect(() => {
		document.title = `${say("signIn")} – ${say("product")}`;
	}, [say]);

	function refused(problem: unknown) {
		const { reason } = problem as Problem;
		if (reason === "wrong-name-or-password") attempt.refuse("password", sentence(problem, say));
		else if (reason === "code-needed") setNeedsCode(true);
		else attempt.refuse(needsCode ? "code" : "password", sentence(problem, say));
	}

	async function signIn() {
		if (!name.trim()) return attempt.refuse("name", say("required"));
		if (!password) return attempt.refuse("password", say("required"));
		if (needsCode && !code.trim()) return attempt.refuse("code", say("required"));
		setBusy(true);
		attempt.forget();
		let who: Session | null = null;
		try {
			who = await api.signIn(name.trim(), password, needsCode ? code : undefined);
		} catch (e) {
			refused(e);
		}
		setBusy(false);
		if (who) onSignedIn(who);
	}

	return (
		<div className="door">
			<main>
				<div className="card">
					<div className="brand-line">
						<img src={mark} alt="" />
						<div>
							<h1>{say("product")}</h1>
							<p className="hint">{say("signInTitle")}</p>
						</div>
					</div>
					<Form attempt={attempt} onSubmit={signIn} label={say("signIn")}>
						<TextInput
							label={say("signInName")}
							data-field="name"
							error={attempt.errorOf("name")}
							value={name}
							onChange={(e) => {
								setName(e.currentTarget.value);
								setNeedsCode(false);
								setCode("");
							}}
							autoComplete="username"
							autoCapitalize="none"
							spellCheck={false}
							autoFocus
							size="md"
						/>
						<PasswordField
							label={say("password")}
							data-field="password"
							error={attempt.errorOf("password")}
							value={password}
							onChange={(e) => setPassword(e.currentTarget.value)}
							autoComplete="current-password"
							size="md"
						/>
						{needsCode && (
							<CodeField
								value={code}
								onType={setCode}
								error={attempt.errorOf("code")}
								orRecovery
								autoFocus
								size="md"
							/>
						)}
						<Button type="submit" size="md" fullWidth loading={busy}>
							{say("signIn")}
						</Button>
						<p className="hint small">{say("signInMotto")}</p>
					</Form>
				</div>
				<div className="tools">
					<Switches className="bar-button door-button" />
				</div>
			</main>
		</div>
	);
}
