import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "wouter";
import { groups } from "../api";
import type { Group, GroupChange, Versioned } from "../api";
import { rowsOf, settingsOf } from "../parts/AddressTable";
import { useEditor } from "../parts/editor";
import { listOf } from "../parts/form";
import { Icon } from "../parts/icons";
import { named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { HolderForm } from "./HolderForm";

const draftOf = (g: Group) => ({
	name: g.name,
	enabled: g.enabled,
	members: g.members,
	rows: rowsOf(g.addresses),
});

const changeOf = ({ rows, ...rest }: ReturnType<typeof draftOf>): GroupChange => ({
	...rest,
	addresses: settingsOf(rows, false),
});

interface MembersProps {
	members: string[];
	error: string | null;
	readOnly: boolean;
	onChange: (members: string[]) => void;
}

function Members({ members, error, readOnly, onChange }: MembersProps) {
	const { say } = useWords();
	const [typed, setTyped] = useState("");

	function add() {
		const fresh = listOf(typed).filter((a) => !members.includes(a));
		if (fresh.length) onChange([...members, ...fresh]);
		setTyped("");
	}
	return (
		<section className="stack tight" aria-labelledby="members" style={{ maxWidth: 760 }}>
			<h2 id="members">{say("members")}</h2>
			<p className="hint">{say("membersHint")}</p>
			{members.length === 0 ? (
				<p className="notice">{say("membersEmpty")}</p>
			) : (
				<ul className="addresses" style={{ listStyle: "none", margin: 0, padding: 0 }}>
					{members.map((address) => (
						<li key={address} className="row" style={{ padding: "6px 14px", borderBottom: "1px solid var(--line)" }}>
							<span className="breakable" style={{ flex: 1 }}>{address}</span>
							{!readOnly && (
								<ActionIcon
									variant="subtle"
									color="gray"
									size="lg"
									aria-label={say("removeMember", { address })}
									onClick={() => onChange(members.filter((m) => m !== address))}
								>
									<Icon name="trash" size={17} />
								</ActionIcon>
							)}
						</li>
					))}
				</ul>
			)}
			{!readOnly && (
				<div className="row" style={{ alignItems: "flex-start" }}>
					<TextInput
						className="grow"
						aria-label={say("newMember")}
						placeholder={say("newMember")}
						data-field="members member"
						error={error}
						value={typed}
						onChange={(e) => setTyped(e.currentTarget.value)}
						onKeyDown={(e) => {
							if (e.key !== "Enter") return;
							e.preventDefault();
							add();
						}}
						autoCapitalize="none"
						spellCheck={false}
					/>
					<Button variant="default" onClick={add}>
						{say("addMember")}
					</Button>
				</div>
			)}
		</section>
	);
}

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
			of={base}
			editor={editor}
			draft={draft}
			type={type}
			deletion={{
				title: say("deleteGroup"),
				text: say("deleteGroupText", { address: base.address, n: base.members.length }),
				remove: () => groups.remove(base.address),
			}}
		>
			<Members
				members={draft.members}
				error={attempt.errorOf("members", "member")}
				readOnly={!mayRoute}
				onChange={(members) => type({ members })}
			/>
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
		>
			<Await query={query}>{(read) => <GroupForm read={read} at={address} />}</Await>
		</Page>
	);
}
