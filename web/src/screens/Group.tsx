import { useQuery } from "@tanstack/react-query";
import { useParams } from "wouter";
import { groups } from "../api";
import type { Group, GroupChange, Versioned } from "../api";
import { rowsOf, settingsOf } from "../parts/AddressTable";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { boxOf, ListBox, whole } from "../parts/ListBox";
import { EntryLinks } from "../parts/EntryLinks";
import { named, Page } from "../parts/page";
import { SendersFields, sendersDraft, sendersList } from "../parts/SendersFields";
import { Await } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { HolderForm } from "./HolderForm";

const draftOf = (g: Group) => ({
	name: g.name,
	enabled: g.enabled,
	members: boxOf(g.members),
	...sendersDraft(g.senders),
	rows: rowsOf(g.addresses),
});

const changeOf = ({ rows, members, members_send, senders, ...rest }: ReturnType<typeof draftOf>): GroupChange => ({
	...rest,
	members: whole(members),
	senders: sendersList({ members_send, senders }),
	addresses: settingsOf(rows, false),
});

function GroupForm({ read, at }: { read: Versioned<Group>; at: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const editor = useEditor({
		key: ["group", at],
		read,
		draftOf,
		changeOf,
		change: (change: GroupChange, version) => groups.change(read.value.address, change, version),
	});
	const { base, draft, type, attempt } = editor;

	return (
		<HolderForm
			thing={["group", at]}
			of={base}
			editor={editor}
			draft={draft}
			type={type}
			fields={<SendersFields field={fieldsOf(editor)} ofGroup disabled={!mayRoute} />}
			rename={groups.rename}
			deletion={{
				title: say("deleteGroup"),
				text: say("deleteGroupText", { address: base.address, n: base.members.length }),
				remove: (along) => groups.remove(base.address, along),
			}}
		>
			<section className="stack tight fields" aria-labelledby="members">
				<h2 id="members">{say("members")}</h2>
				<p className="hint">{say("membersHint")}</p>
				<ListBox
					value={draft.members}
					onChange={(members) => type({ members })}
					label={say("newMember")}
					add={say("addMember")}
					remove={(address) => say("removeMember", { address })}
					empty={say("membersEmpty")}
					fields="members member"
					error={attempt.errorOf("members", "member")}
					readOnly={!mayRoute}
				/>
			</section>
		</HolderForm>
	);
}

export function GroupScreen() {
	const { say } = useWords();
	const address = named(useParams().address);
	const query = useQuery({ queryKey: ["group", address], queryFn: () => groups.get(address) });
	return (
		<Page
			title={query.data?.value.name || address}
			crumbs={[{ label: say("directories") }, { label: say("directoryBrowser"), to: "/directory" }]}
			tags={<span className="tag plain">{say("kind_group")}</span>}
			actions={<EntryLinks address={query.data?.value.address ?? address} />}
		>
			<Await query={query}>{(read) => <GroupForm read={read} at={address} />}</Await>
		</Page>
	);
}
