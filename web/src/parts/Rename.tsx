/*
 * Another name for a user, a group, a shared mailbox or a domain: everything
 * goes along, and for a while there is a way back.
 */
import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { undoChange } from "../api";
import type { Renamed } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";
import { CheckField } from "./CheckField";
import { Dialog } from "./dialog";
import { useAnyUnsaved } from "./drafts";
import type { Thing } from "./drafts";
import { Form, useAttempt } from "./form";
import { tell } from "./tell";

interface Props {
	/** Under which it is read. */
	of: Thing;
	name: string;
	/** What the new name is called in the API, and what it is here. */
	field: "address" | "name";
	rename: (name: string, to: string, keepOld: boolean) => Promise<Renamed>;
	/** The page of what is called NAME now. */
	onRenamed: (name: string) => void;
}

export function Rename({ of, name, field, rename, onRenamed }: Props) {
	const { say } = useWords();
	const cache = useQueryClient();
	const attempt = useAttempt();
	const [opened, setOpened] = useState(false);
	const [to, setTo] = useState("");
	const [keepOld, setKeepOld] = useState(true);
	const isDomain = field === "name";
	// What is typed is typed over what has this name.
	const unsaved = useAnyUnsaved(of);

	function open() {
		attempt.forget();
		setTo(name);
		setKeepOld(true);
		setOpened(true);
	}

	async function undo(change: number) {
		try {
			await undoChange(change);
			void cache.invalidateQueries();
			onRenamed(name);
			tell(say, say("undone"));
		} catch (e) {
			tell(say, sentence(e, say));
		}
	}

	async function save() {
		const wanted = to.trim();
		let change: number | null = null;
		if (!wanted) return attempt.refuse(field, say("required"));
		if (!(await attempt.run(async () => ({ change } = await rename(name, wanted, keepOld))))) return;
		setOpened(false);
		onRenamed(wanted);
		tell(
			say,
			say("renamed", { name, to: wanted }),
			change === null ? undefined : () => void undo(change!),
		);
	}

	return (
		<>
			<Button variant="default" onClick={open} disabled={unsaved}>
				{say(isDomain ? "renameDomain" : "renameAddress")}
			</Button>
			{unsaved && <p className="hint small">{say("renameAfterSaving")}</p>}
			<Dialog
				title={say(isDomain ? "renameDomain" : "renameAddress")}
				opened={opened}
				onClose={() => setOpened(false)}
				holds
			>
				<Form attempt={attempt} onSubmit={save}>
					<TextInput
						label={say(isDomain ? "newDomainName" : "newDefaultAddress")}
						description={say(isDomain ? "renameDomainHint" : "renameAddressHint")}
						data-field={field}
						error={attempt.errorOf(field)}
						value={to}
						onChange={(e) => setTo(e.currentTarget.value)}
						autoCapitalize="none"
						spellCheck={false}
						data-autofocus
					/>
					<CheckField
						label={say(isDomain ? "keepOldDomain" : "keepOldAddress", { name })}
						description={say("keepOldHint")}
						data-field="keep_old"
						checked={keepOld}
						onChange={(e) => setKeepOld(e.currentTarget.checked)}
					/>
					<div className="row end">
						<Button variant="default" onClick={() => setOpened(false)}>
							{say("cancel")}
						</Button>
						<Button type="submit" loading={attempt.busy}>
							{say("rename")}
						</Button>
					</div>
				</Form>
			</Dialog>
		</>
	);
}
