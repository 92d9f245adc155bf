import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { tokens } from "../api";
import type { CreatedToken, NewToken as Wanted } from "../api";
import { CodeField } from "../parts/CodeField";
import { CopyButton } from "../parts/CopyButton";
import { useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { Form, useAttempt } from "../parts/form";
import { PasswordField } from "../parts/PasswordField";
import { useWho } from "../session";
import { useWords } from "../words";

const curl = (token: string) =>
	`curl -H "Authorization: Bearer ${token}" ${window.location.origin}/api/v1/users`;

function Shown({ word, text }: { word: string; text: string }) {
	return (
		<div className="stack tight">
			<h3>{word}</h3>
			<pre className="header mono">{text}</pre>
			<div>
				<CopyButton text={text} what={word} />
			</div>
		</div>
	);
}

/** The only time the token is to be seen. */
function Made({ made, onClose }: { made: CreatedToken; onClose: () => void }) {
	const { say } = useWords();
	return (
		<div className="stack">
			<p className="notice here" role="status">
				{say("tokenOnce", { name: made.name })}
			</p>
			<Shown word={say("token")} text={made.token} />
			<Shown word={say("tokenUse")} text={curl(made.token)} />
			<div className="row end">
				<Button onClick={onClose}>{say("close")}</Button>
			</div>
		</div>
	);
}

const mostDays = 3650;
const blank = {
	value: { name: "", scope: "read" as Wanted["scope"], days: "90" },
	version: null,
};

export function NewToken({ onClose }: { onClose: () => void }) {
	const { say } = useWords();
	const { session } = useWho();
	const attempt = useAttempt();
	const [made, setMade] = useState<CreatedToken | null>(null);
	const { draft, type, forget } = useTypedOver(["new", "token"], "", blank, (begun) => begun);
	const field = fieldsOf({ attempt, draft, type });
	// What proves who one is stays in the dialog.
	const [proof, setProof] = useState({ password: "", code: "" });

	function make() {
		const days = Number(draft.days);
		if (!draft.name.trim()) return attempt.refuse("name", say("required"));
		if (!Number.isInteger(days))
			return attempt.refuse("days", say.refusal("bad-token-days", { most: mostDays }) ?? "");
		if (!proof.password) return attempt.refuse("password", say("required"));
		if (session.totp && !proof.code.trim()) return attempt.refuse("code", say("required"));
		const { password, code } = proof;
		const wanted = { ...draft, days, password, ...(session.totp && { code }) };
		void attempt.run(async () => {
			setMade(await tokens.create(wanted));
			forget();
		});
	}

	if (made) return <Made made={made} onClose={onClose} />;
	return (
		<Form attempt={attempt} onSubmit={make} label={say("newToken")}>
			<TextInput
				label={say("name")}
				description={say("tokenNameHint")}
				{...field.text("name")}
				autoComplete="off"
				maxLength={100}
				data-autofocus
			/>
			<Select
				label={say("scope")}
				data-field="scope"
				error={attempt.errorOf("scope")}
				data={[
					{ value: "read", label: say("scope_read") },
					{ value: "write", label: say("scope_write") },
					...(session.role === "superadmin"
						? [{ value: "metrics", label: say("scope_metrics") }]
						: []),
				]}
				value={draft.scope}
				onChange={(scope) => type({ scope: scope as Wanted["scope"] })}
				allowDeselect={false}
			/>
			<TextInput
				label={say("validDays")}
				{...field.text("days")}
				autoComplete="off"
				inputMode="numeric"
			/>
			<PasswordField
				label={say("currentPassword")}
				data-field="password"
				error={attempt.errorOf("password")}
				value={proof.password}
				onChange={(e) => setProof({ ...proof, password: e.currentTarget.value })}
				autoComplete="current-password"
			/>
			{session.totp && (
				<CodeField
					value={proof.code}
					onType={(code) => setProof({ ...proof, code })}
					error={attempt.errorOf("code")}
					orRecovery
				/>
			)}
			<div className="row end">
				<Button
					variant="default"
					onClick={() => {
						forget();
						onClose();
					}}
				>
					{say("cancel")}
				</Button>
				<Button type="submit" loading={attempt.busy}>
					{say("create")}
				</Button>
			</div>
		</Form>
	);
}
