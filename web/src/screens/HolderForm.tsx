import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { domains } from "../api";
import type { groups } from "../api";
import type { Group, Shared } from "../api";
import { SwitchField } from "../parts/CheckField";
import { AddressTable } from "../parts/AddressTable";
import type { Row } from "../parts/AddressTable";
import { Confirm } from "../parts/dialog";
import type { Thing } from "../parts/drafts";
import type { Editor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { Form, SaveBar } from "../parts/form";
import { entryPath } from "../parts/page";
import { Rename } from "../parts/Rename";
import { tell } from "../parts/tell";
import { useTellDeleted } from "../parts/undelete";
import { useWho } from "../session";
import { useWords } from "../words";

interface Draft {
	name: string;
	enabled: boolean;
	rows: Row[];
}

interface HolderFormProps {
	/** Under which it is read. */
	thing: Thing;
	of: Group | Shared;
	editor: Editor;
	draft: Draft;
	type: (typed: Partial<Draft>) => void;
	/** What is asked before it is deleted; without it, it cannot be. */
	deletion?: { title: string; text: string; remove: (along: boolean) => Promise<unknown> };
	rename?: typeof groups.rename;
	/** More fields beside the name, and more sections below them. */
	fields?: ReactNode;
	children?: ReactNode;
}

/** What the forms of a group and of a shared mailbox have in common. */
export function HolderForm(props: HolderFormProps) {
	const { thing, of, editor, draft, type, deletion, rename, fields, children } = props;
	const { attempt } = editor;
	const field = fieldsOf({ attempt, draft, type });
	const { say } = useWords();
	const { mayRoute } = useWho();
	const tellDeleted = useTellDeleted();
	const [, go] = useLocation();
	const [deleting, setDeleting] = useState(false);
	const domain = useQuery({
		queryKey: ["domain", of.domain],
		queryFn: () => domains.get(of.domain),
	}).data?.value;

	function submit() {
		if (draft.rows.some((row) => !row.left.trim()))
			return attempt.refuse("addresses", say("leftPartMissing"));
		void editor.save();
	}

	return (
		<section className="card">
			<Form attempt={attempt} onSubmit={submit}>
				<div className="stack fields">
					<TextInput
						label={say("displayName")}
						{...field.text("name")}
						disabled={!mayRoute}
					/>
					<SwitchField
						label={say("enabled")}
						{...field.check("enabled")}
						disabled={!mayRoute}
					/>
					{fields}
				</div>
				{children}
				<section className="stack tight fields" aria-labelledby="addresses">
					<h2 id="addresses">{say("addresses")}</h2>
					<AddressTable
						label={say("addressesOf", { name: of.name || of.address })}
						rows={draft.rows}
						names={domain ? [domain.name, ...domain.aliases] : [of.domain]}
						show="plain"
						readOnly={!mayRoute}
						errorOf={attempt.errorOf}
						onChange={(rows) => type({ rows })}
					/>
				</section>
				{mayRoute && deletion && (
					<div className="row">
						{rename && (
							<Rename
								of={thing}
								name={of.address}
								field="address"
								rename={rename}
								onRenamed={(now) => go(entryPath(of.kind, now))}
							/>
						)}
						<Button color="red" variant="outline" onClick={() => setDeleting(true)}>
							{deletion.title}
						</Button>
					</div>
				)}
				{mayRoute && <SaveBar of={editor} />}
			</Form>
			{deletion && (
				<Confirm
					title={deletion.title}
					text={deletion.text}
					action={say("delete")}
					opened={deleting}
					onClose={() => setDeleting(false)}
					onConfirm={deletion.remove}
					onDone={(along) => {
						editor.cancel();
						if (of.kind === "shared") tellDeleted(of.address, along);
						else tell(say, say("deleted", { name: of.address }));
						go("/directory");
					}}
				/>
			)}
		</section>
	);
}
