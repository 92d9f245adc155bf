import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "wouter";
import { shared } from "../api";
import type { Shared, SharedChange, Versioned } from "../api";
import { rowsOf, settingsOf } from "../parts/AddressTable";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { sizeOf, sizeText } from "../parts/form";
import { EntryLinks } from "../parts/EntryLinks";
import { named, Page } from "../parts/page";
import { SendersFields, sendersDraft, sendersList } from "../parts/SendersFields";
import { Await } from "../parts/states";
import { Used } from "../parts/Used";
import { useWho } from "../session";
import { useWords } from "../words";
import { HolderForm } from "./HolderForm";

const draftOf = (s: Shared) => ({
	name: s.name,
	enabled: s.enabled,
	quota: sizeText(s.quota),
	...sendersDraft(s.senders),
	rows: rowsOf(s.addresses),
});

const changeOf = ({ rows, quota, members_send, senders, ...rest }: ReturnType<typeof draftOf>): SharedChange => ({
	...rest,
	senders: sendersList({ members_send, senders }),
	quota: sizeOf(quota),
	addresses: settingsOf(rows, false),
});

function SharedForm({ read, at }: { read: Versioned<Shared>; at: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const editor = useEditor({
		key: ["shared", at],
		read,
		draftOf,
		changeOf,
		change: (change: SharedChange, version) => shared.change(read.value.address, change, version),
	});
	const { base, draft, type } = editor;
	const field = fieldsOf(editor);

	return (
		<HolderForm
			thing={["shared", at]}
			of={base}
			editor={editor}
			draft={draft}
			type={type}
			rename={shared.rename}
			deletion={
				base.builtin
					? undefined
					: {
							title: say("deleteShared"),
							text: say("deleteSharedText", { address: base.address }),
							remove: (along) => shared.remove(base.address, along),
						}
			}
			fields={
				<>
					<TextInput
						label={say("quota")}
						description={say("quotaHint")}
						{...field.text("quota")}
						disabled={!mayRoute}
					/>
					<Used of={read.value} />
					<SendersFields field={field} disabled={!mayRoute} />
					{base.builtin && <p className="notice here">{say("sharedBuiltin")}</p>}
				</>
			}
		/>
	);
}

export function SharedScreen() {
	const { say } = useWords();
	const address = named(useParams().address);
	const query = useQuery({ queryKey: ["shared", address], queryFn: () => shared.get(address) });
	return (
		<Page
			title={query.data?.value.name || address}
			crumbs={[{ label: say("directories") }, { label: say("directoryBrowser"), to: "/directory" }]}
			tags={<span className="tag plain">{say("kind_shared")}</span>}
			actions={<EntryLinks address={query.data?.value.address ?? address} />}
		>
			<Await query={query}>{(read) => <SharedForm read={read} at={address} />}</Await>
		</Page>
	);
}
