import { Button, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { domains } from "../api";
import type { Domain, DomainChange, Versioned } from "../api";
import { Confirm } from "../parts/dialog";
import { forgetDrafts } from "../parts/drafts";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { Form, listOf, SaveBar, textOf } from "../parts/form";
import { segment } from "../parts/page";
import { Rename } from "../parts/Rename";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

const draftOf = (d: Domain) => ({ aliases: textOf(d.aliases), description: d.description });

const changeOf = ({ aliases, description }: ReturnType<typeof draftOf>): DomainChange => ({
	aliases: listOf(aliases),
	description,
});

export function DomainGeneral({ read, mayDelete }: { read: Versioned<Domain>; mayDelete: boolean }) {
	const { say } = useWords();
	const { isSuper, mayRoute, domain, setDomain } = useWho();
	const [, go] = useLocation();
	const [deleting, setDeleting] = useState(false);
	const editor = useEditor({
		key: ["domain", read.value.name],
		form: "general",
		read,
		draftOf,
		changeOf,
		change: (change: DomainChange, version) => domains.change(read.value.name, change, version),
	});
	const { base, attempt } = editor;
	const field = fieldsOf(editor);

	return (
		<Form attempt={attempt} onSubmit={editor.save}>
			<div className="stack fields">
				<TextInput label={say("name")} value={base.name} readOnly variant="filled" />
				{isSuper && (
					<div>
						<Rename
							of={["domain", base.name]}
							name={base.name}
							field="name"
							rename={domains.rename}
							onRenamed={(now) => {
								if (domain === base.name) setDomain(null);
								go(`/domains/${segment(now)}/general`);
							}}
						/>
					</div>
				)}
				<TextInput
					label={say("aliases")}
					description={say("aliasesHint")}
					{...field.text("aliases")}
					disabled={!isSuper}
				/>
				<Textarea
					label={say("description")}
					{...field.text("description")}
					minRows={2}
					disabled={!mayRoute}
				/>
				{mayDelete && (
					<div className="row">
						<Button color="red" variant="outline" onClick={() => setDeleting(true)}>
							{say("deleteDomain")}
						</Button>
						<span className="hint small">{say("deleteDomainHint")}</span>
					</div>
				)}
			</div>
			{mayRoute && (
				<SaveBar of={editor} />
			)}
			<Confirm
				title={say("deleteDomain")}
				text={say("deleteDomainText", { name: [base.name, ...base.aliases].join(", ") })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={(along) => domains.remove(base.name, along)}
				onDone={() => {
					forgetDrafts(["domain", base.name]);
					if (domain === base.name) setDomain(null);
					tell(say, say("deleted", { name: base.name }));
					go("/domains");
				}}
			/>
		</Form>
	);
}
