import { Button, Modal } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import { useWords } from "../words";
import { CheckField } from "./CheckField";
import { Form, useAttempt } from "./form";

interface DialogProps {
	title: string;
	opened: boolean;
	onClose: () => void;
	size?: string;
	/** What stands in it would be lost by a click beside it. */
	holds?: boolean;
	children: ReactNode;
}

export function Dialog({ title, opened, onClose, size = "lg", holds = false, children }: DialogProps) {
	const { say } = useWords();
	return (
		<Modal
			opened={opened}
			onClose={onClose}
			title={<span style={{ fontWeight: 650, fontSize: "1.1rem" }}>{title}</span>}
			size={size}
			closeOnClickOutside={!holds}
			closeButtonProps={{ "aria-label": say("close") }}
		>
			{children}
		</Modal>
	);
}

interface ConfirmProps {
	title: string;
	text: string;
	action: string;
	opened: boolean;
	onClose: () => void;
	/** ALONG: also what leads there, which has been named before. */
	onConfirm: (along: boolean) => Promise<unknown>;
	onDone?: (along: boolean) => void;
}

const ledTo: readonly (string | null)[] = ["others-lead-here", "others-elsewhere-lead-here"];

/** Destructive acts ask once, and name what will be lost. */
export function Confirm({ title, text, action, opened, onClose, onConfirm, onDone }: ConfirmProps) {
	const { say } = useWords();
	const attempt = useAttempt();
	const [named, setNamed] = useState(false);
	const [along, setAlong] = useState(false);
	const close = () => {
		attempt.forget();
		setNamed(false);
		setAlong(false);
		onClose();
	};
	const isLedTo = ledTo.includes(attempt.problem?.reason ?? null);

	useEffect(() => {
		if (isLedTo) setNamed(true);
	}, [isLedTo]);
	return (
		<Dialog title={title} opened={opened} onClose={close} size="md">
			<Form
				attempt={attempt}
				onSubmit={async () => {
					if (!(await attempt.run(() => onConfirm(along)))) return;
					close();
					onDone?.(along);
				}}
			>
				<p>{text}</p>
				{named && (
					<CheckField
						label={say("takeAlong")}
						checked={along}
						onChange={(e) => setAlong(e.currentTarget.checked)}
					/>
				)}
				<div className="row end">
					<Button variant="default" onClick={close} data-autofocus>
						{say("cancel")}
					</Button>
					<Button type="submit" color="red" loading={attempt.busy}>
						{action}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}
