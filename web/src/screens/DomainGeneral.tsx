import { Button, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { domains } from "../api";
import type { Domain, Versioned } from "../api";
import { Confirm } from "../parts/dialog";
import { useDraft } from "../parts/draft";
import { Form, listOf, SaveBar, textOf, useAttempt } from "../parts/form";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

const draftOf = (d: Domain) => ({ aliases: textOf(d.aliases), description: d.description });

export function DomainGeneral({ read, mayDelete }: { read: Versioned<Domain>; mayDelete: boolean }) {
	const { say } = useWords();
	const { mayRoute, domain, setDomain } = useWho();
	const [, go] = useLocation();
	const [deleting, setDeleting] = useState(false);
	const attempt = useAttempt();
	const { base, draft, dirty, version, type, restart } = useDraft(["domain", read.value.name], read, draftOf);

	return (
		<Form
			attempt={attempt}
			onSubmit={async () => {
				const done = await attempt.run(async () => {
					await domains.change(
						base.name,
						{ aliases: listOf(draft.aliases), description: draft.description },
						version,
					);
					restart(await domains.get(base.name));
				});
				if (done) tell(say, say("saved"));
			}}
		>
			<div className="stack fields">
				<TextInput label={say("name")} value={base.name} readOnly variant="filled" />
				<TextInput
					label={say("aliases")}
					description={say("aliasesHint")}
					data-field="aliases"
					error={attempt.errorOf("aliases")}
					value={draft.aliases}
					onChange={(e) => type({ aliases: e.currentTarget.value })}
					disabled={!mayRoute}
				/>
				<Textarea
					label={say("description")}
					data-field="description"
					error={attempt.errorOf("description")}
					value={draft.description}
					onChange={(e) => type({ description: e.currentTarget.value })}
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
				<SaveBar
					attempt={attempt}
					dirty={dirty}
					onCancel={() => {
						attempt.forget();
						restart();
					}}
				/>
			)}
			<Confirm
				title={say("deleteDomain")}
				text={say("deleteDomainText", { name: [base.name, ...base.aliases].join(", ") })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={() => domains.remove(base.name)}
				onDone={() => {
					if (domain === base.name) setDomain(null);
					tell(say, say("deleted", { name: base.name }));
					go("/domains");
				}}
			/>
		</Form>
	);
}
