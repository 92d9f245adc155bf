import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { totp } from "../api";
import type { TotpSecret } from "../api";
import { CodeField } from "../parts/CodeField";
import { CopyButton } from "../parts/CopyButton";
import { Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import type { Attempt } from "../parts/form";
import { PasswordField } from "../parts/PasswordField";
import { QrCode } from "../parts/QrCode";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

/** What a step begins with has the focus, so that readers follow. */
function StepHead({ children }: { children: ReactNode }) {
	const head = useRef<HTMLHeadingElement>(null);
	useEffect(() => head.current?.focus(), []);
	return (
		<h2 ref={head} tabIndex={-1}>
			{children}
		</h2>
	);
}

interface Proof {
	password: string;
	code: string;
}

/** Password and code, asked for on the way on and on the way off. */
function ProofFields({ attempt, proof, onType, orRecovery }: {
	attempt: Attempt;
	proof: Proof;
	onType: (proof: Proof) => void;
	orRecovery?: boolean;
}) {
	const { say } = useWords();
	return (
		<>
			<CodeField
				value={proof.code}
				onType={(code) => onType({ ...proof, code })}
				error={attempt.errorOf("code")}
				orRecovery={orRecovery}
			/>
			<PasswordField
				label={say("currentPassword")}
				data-field="password"
				error={attempt.errorOf("password")}
				value={proof.password}
				onChange={(e) => onType({ ...proof, password: e.currentTarget.value })}
				autoComplete="current-password"
			/>
		</>
	);
}

function useProof() {
	const { say } = useWords();
	const [proof, setProof] = useState<Proof>({ password: "", code: "" });
	const attempt = useAttempt();
	return {
		attempt,
		fields: { attempt, proof, onType: setProof },
		/** True when both were given, and it is done. */
		async give(to: (proof: Proof) => Promise<unknown>) {
			if (!proof.code.trim()) return attempt.refuse("code", say("required"));
			if (!proof.password) return attempt.refuse("password", say("required"));
			return attempt.run(() => to(proof));
		},
	};
}

/** The secret for the phone, and a code of it as the answer. */
function SetUp({ begun, onDone, onCancel }: {
	begun: TotpSecret;
	onDone: (codes: string[]) => void;
	onCancel: () => void;
}) {
	const { say } = useWords();
	const { attempt, fields, give } = useProof();
	const secret = begun.secret.replace(/(.{4})(?=.)/g, "$1 ");

	return (
		<Form
			attempt={attempt}
			onSubmit={() => give(async ({ password, code }) => onDone(await totp.confirm(password, code)))}
			label={say("secondFactor")}
		>
			<StepHead>{say("scanSecret")}</StepHead>
			<div className="row secret">
				<QrCode text={begun.uri} label={say("secretAsQrCode")} />
				<div className="stack tight grow">
					<p className="hint">{say("typeSecret")}</p>
					<p className="mono" data-secret>
						{secret}
					</p>
					<div>
						<CopyButton text={begun.secret} what={say("secret")} />
					</div>
				</div>
			</div>
			<h2>{say("confirmSecret")}</h2>
			<ProofFields {...fields} />
			<div className="row">
				<Button type="submit" loading={attempt.busy}>
					{say("switchOn")}
				</Button>
				<Button variant="default" onClick={onCancel}>
					{say("cancel")}
				</Button>
			</div>
		</Form>
	);
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
	const { say } = useWords();
	return (
		<div className="stack">
			<StepHead>{say("recoveryCodes")}</StepHead>
			<p>{say("recoveryCodesText")}</p>
			<ul className="codes mono">
				{codes.map((code) => (
					<li key={code}>{code}</li>
				))}
			</ul>
			<div className="row not-printed">
				<Button onClick={onDone}>{say("recoveryCodesKept")}</Button>
				<CopyButton text={codes.join("\n")} what={say("recoveryCodes")} />
				<Button variant="default" onClick={() => window.print()}>
					{say("print")}
				</Button>
			</div>
		</div>
	);
}

function Renew({ onClose, onDone }: { onClose: () => void; onDone: (codes: string[]) => void }) {
	const { say } = useWords();
	const { attempt, fields, give } = useProof();
	return (
		<Form
			attempt={attempt}
			onSubmit={() =>
				give(async ({ password, code }) => onDone(await totp.renewRecoveryCodes(password, code)))
			}
			label={say("newRecoveryCodes")}
		>
			<p>{say("newRecoveryCodesText")}</p>
			<ProofFields {...fields} orRecovery />
			<div className="row end">
				<Button variant="default" onClick={onClose}>
					{say("cancel")}
				</Button>
				<Button type="submit" loading={attempt.busy}>
					{say("create")}
				</Button>
			</div>
		</Form>
	);
}

function SwitchOff({ onClose }: { onClose: () => void }) {
	const { say } = useWords();
	const { attempt, fields, give } = useProof();

	async function switchOff() {
		if (!(await give(({ password, code }) => totp.end(password, code)))) return;
		onClose();
		tell(say, say("secondFactorIsOff"));
	}
	return (
		<Form attempt={attempt} onSubmit={switchOff} label={say("switchOffSecondFactor")}>
			<p>{say("switchOffText")}</p>
			<ProofFields {...fields} orRecovery />
			<div className="row end">
				<Button variant="default" onClick={onClose}>
					{say("cancel")}
				</Button>
				<Button type="submit" color="red" loading={attempt.busy}>
					{say("switchOff")}
				</Button>
			</div>
		</Form>
	);
}

function IsOn({ onRenewed }: { onRenewed: (codes: string[]) => void }) {
	const { say } = useWords();
	const { session } = useWho();
	const [leaving, setLeaving] = useState(false);
	const [renewing, setRenewing] = useState(false);
	const left = session.recovery_codes;
	return (
		<div className="stack">
			<p>
				<span className="tag here">{say("on")}</span> {say("secondFactorOnText")}
			</p>
			<p className={left < 3 ? "notice there" : "hint"}>{say("recoveryCodesLeft", { n: left })}</p>
			<div className="row">
				<Button variant="default" onClick={() => setRenewing(true)}>
					{say("newRecoveryCodes")}
				</Button>
				<Button color="red" variant="outline" onClick={() => setLeaving(true)}>
					{say("switchOff")}
				</Button>
			</div>
			<Dialog title={say("newRecoveryCodes")} opened={renewing} onClose={() => setRenewing(false)} size="md" holds>
				<Renew onClose={() => setRenewing(false)} onDone={onRenewed} />
			</Dialog>
			<Dialog title={say("switchOffSecondFactor")} opened={leaving} onClose={() => setLeaving(false)} size="md" holds>
				<SwitchOff onClose={() => setLeaving(false)} />
			</Dialog>
		</div>
	);
}

function IsOff({ onBegin }: { onBegin: (begun: TotpSecret) => void }) {
	const { say } = useWords();
	const attempt = useAttempt();
	return (
		<Form attempt={attempt} onSubmit={() => attempt.run(async () => onBegin(await totp.begin()))}>
			<p>
				<span className="tag">{say("off")}</span> {say("secondFactorOffText")}
			</p>
			<div>
				<Button type="submit" loading={attempt.busy}>
					{say("setUpSecondFactor")}
				</Button>
			</div>
		</Form>
	);
}

/** Off, being set up, its recovery codes, on: one after the other. */
export function SecondFactor() {
	const { say } = useWords();
	const { session } = useWho();
	const [begun, setBegun] = useState<TotpSecret | null>(null);
	const [codes, setCodes] = useState<string[] | null>(null);

	function step() {
		if (codes) return <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />;
		if (session.totp) return <IsOn onRenewed={setCodes} />;
		if (!begun) return <IsOff onBegin={setBegun} />;
		return (
			<SetUp
				begun={begun}
				onDone={(fresh) => {
					tell(say, say("secondFactorIsOn"));
					setCodes(fresh);
					setBegun(null);
				}}
				onCancel={() => setBegun(null)}
			/>
		);
	}
	return <div className="fields">{step()}</div>;
}
