import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useWords } from "../words";
import { Form, useAttempt } from "./form";

interface DialogProps {
	title: string;
	opened: boolean;
	onClose: () => void;
	size?: string;
	children: ReactNode;
}

export function Dialog({ title, opened, onClose, size = "lg", children }: DialogProps) {
	const { say } = useWords();
	return (
		<Modal
			opened={opened}
			onClose={onClose}
			title={<span style={{ fontWeight: 650, fontSize: "1.1rem" }}>{title}</span>}
			size={size}
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
	onConfirm: () => Promise<unknown>;
	onDone?: () => void;
}

/** Destructive acts ask once, and name what will be lost. */
export function Confirm({ title, text, action, opened, onClose, onConfirm, onDone }: ConfirmProps) {
	const { say } = useWords();
	const attempt = useAttempt();
	const close = () => {
		attempt.forget();
		onClose();
	};
	return (
		<Dialog title={title} opened={opened} onClose={close} size="md">
			<Form
				attempt={attempt}
				onSubmit={async () => {
					if (!(await attempt.run(onConfirm))) return;
					close();
					onDone?.();
				}}
			>
				<p>{text}</p>
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
