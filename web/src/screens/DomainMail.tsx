import { Select, TextInput } from "@mantine/core";
import { domains } from "../api";
import type { Domain, DomainChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { Form, SaveBar, sizeOf, sizeText } from "../parts/form";
import { RelayTest } from "../parts/RelayTest";
import { shapeOf, SplitDrawing } from "../parts/SplitDrawing";
import { useWho } from "../session";
import { useWords } from "../words";

const draftOf = (d: Domain) => ({
	relay: d.relay,
	forward_unknown: d.forward_unknown,
	catch_all: d.catch_all,
	postmaster: d.postmaster,
	own_senders: d.own_senders,
	max_message_size: sizeText(d.max_message_size),
});

function changeOf(draft: ReturnType<typeof draftOf>): DomainChange {
	return {
		...draft,
		relay: draft.relay.trim(),
		catch_all: draft.catch_all.trim(),
		postmaster: draft.postmaster.trim(),
		max_message_size: sizeOf(draft.max_message_size),
	};
}

/** Mail System: Mail Routing with its two settings, and Storage. */
export function DomainMail({ read }: { read: Versioned<Domain> }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const editor = useEditor({
		key: ["domain", read.value.name],
		form: "mail",
		read,
		draftOf,
		changeOf,
		change: (change: DomainChange, version) => domains.change(read.value.name, change, version),
	});
	const { base, draft, type, attempt } = editor;
	const field = fieldsOf(editor);

	return (
		<Form attempt={attempt} onSubmit={editor.save}>
			<section className="stack" aria-labelledby="mail-routing">
				<h2 id="mail-routing">{say("mailRouting")}</h2>
				<div className="routing">
					<div className="stack">
						<TextInput
							label={say("relay")}
							description={say("relayHint")}
							{...field.text("relay")}
							autoCapitalize="none"
							spellCheck={false}
							disabled={!mayRoute}
						/>
						<CheckField
							label={say("forwardUnknown")}
							description={say("forwardUnknownHint")}
							{...field.check("forward_unknown")}
							disabled={!mayRoute}
						/>
						{mayRoute && <RelayTest hosts={draft.relay} domain={base.name} />}
					</div>
					<SplitDrawing
						relay={draft.relay}
						forwardUnknown={draft.forward_unknown}
						hosted={base.hosted}
						alternate={base.alternate}
					/>
				</div>
			</section>
			<section className="stack fields" aria-labelledby="special-addresses">
				<h2 id="special-addresses">{say("otherAddresses")}</h2>
				<TextInput
					label={say("catchAll")}
					description={say("catchAllHint")}
					{...field.text("catch_all")}
					disabled={!mayRoute}
				/>
				<TextInput
					label={say("postmaster")}
					description={say("postmasterHint")}
					{...field.text("postmaster")}
					disabled={!mayRoute}
				/>
				<Select
					label={say("ownSenders")}
					data-field="own_senders"
					error={attempt.errorOf("own_senders")}
					data={[
						{ value: "accept", label: say("ownSendersAccept") },
						{ value: "refuse", label: say("ownSendersRefuse") },
					]}
					value={draft.own_senders}
					onChange={(value) => type({ own_senders: value === "refuse" ? "refuse" : "accept" })}
					disabled={!mayRoute}
				/>
			</section>
			<section className="stack fields" aria-labelledby="storage">
				<h2 id="storage">{say("storage")}</h2>
				<TextInput
					label={say("maxMessageSize")}
					description={say("maxMessageSizeHint")}
					{...field.text("max_message_size")}
					disabled={!mayRoute}
				/>
			</section>
			{mayRoute && (
				<SaveBar
					of={editor}
					effect={say(`shapeText_${shapeOf(draft.relay, draft.forward_unknown, base.alternate)}`, {
						relay: draft.relay.trim(),
					})}
				/>
			)}
		</Form>
	);
}
