/*
 * A dialog in which one thing with a name, such as a mail system, is made,
 * changed and deleted.
 */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ReactNode } from "react";
import type { Versioned } from "../api";
import { useWords } from "../words";
import { Confirm, Dialog } from "./dialog";
import { Form } from "./form";
import type { Attempt } from "./form";
import { Await } from "./states";
import { tell } from "./tell";

interface RecordFormProps {
	attempt: Attempt;
	/** What was typed is done with: it is stored, or Cancel was pressed.  A
	 *  dialog that is only closed has it again when it is opened. */
	forget: () => void;
	label: string;
	name: string;
	isNew: boolean;
	/** Makes or changes it. */
	onSubmit: () => Promise<unknown>;
	onClose: () => void;
	/** What is asked before it is deleted; without it, it cannot be. */
	deletion?: { title: string; text: string; remove: () => Promise<unknown> };
	children: ReactNode;
}

export function RecordForm({ attempt, forget, label, name, isNew, onSubmit, onClose, deletion, children }: RecordFormProps) {
	const { say } = useWords();
	const [deleting, setDeleting] = useState(false);

	function end() {
		forget();
		onClose();
	}

	async function submit() {
		if (!name) return attempt.refuse("name", say("required"));
		if (!(await attempt.run(onSubmit))) return;
		tell(say, isNew ? say("created", { name }) : say("savedWhat", { name }));
		end();
	}

	return (
		<>
			<Form attempt={attempt} onSubmit={submit} label={label}>
				{children}
				<div className="row end">
					{deletion && (
						<Button color="red" variant="outline" onClick={() => setDeleting(true)} style={{ marginRight: "auto" }}>
							{say("delete")}
						</Button>
					)}
					<Button variant="default" onClick={end}>
						{say("cancel")}
					</Button>
					<Button type="submit" loading={attempt.busy}>
						{say(isNew ? "create" : "save")}
					</Button>
				</div>
			</Form>
			{deletion && (
				<Confirm
					title={deletion.title}
					text={deletion.text}
					action={say("delete")}
					opened={deleting}
					onClose={() => setDeleting(false)}
					onConfirm={deletion.remove}
					onDone={() => {
						tell(say, say("deleted", { name }));
						end();
					}}
				/>
			)}
		</>
	);
}

interface RecordDialogProps<T> {
	/** The one to edit; null: a new one; undefined: closed. */
	name: string | null | undefined;
	newTitle: string;
	get: (name: string) => Promise<Versioned<T>>;
	/** Under which it is read, before its name. */
	queryKey: string;
	size?: string;
	onClose: () => void;
	children: (read: Versioned<T> | null) => ReactNode;
}

export function RecordDialog<T>({ name, newTitle, get, queryKey, size, onClose, children }: RecordDialogProps<T>) {
	const query = useQuery({
		queryKey: [queryKey, name],
		queryFn: () => get(name!),
		enabled: typeof name === "string",
		gcTime: 0,
	});
	return (
		<Dialog title={name ?? newTitle} opened={name !== undefined} onClose={onClose} size={size} holds>
			{name === null && children(null)}
			{typeof name === "string" && <Await query={query}>{children}</Await>}
		</Dialog>
	);
}
