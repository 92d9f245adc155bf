import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { domains, groups } from "../api";
import type { Group, Versioned } from "../api";
import { SwitchField } from "../parts/CheckField";
import { AddressTable, rowsOf, settingsOf } from "../parts/AddressTable";
import { Confirm } from "../parts/dialog";
import { useDraft } from "../parts/draft";
import { Form, listOf, SaveBar, useAttempt } from "../parts/form";
import { Icon } from "../parts/icons";
import { named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

const draftOf = (g: Group) => ({
	name: g.name,
	enabled: g.enabled,
	members: g.members,
	rows: rowsOf(g.addresses),
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
	const [, go] = useLocation();
	const [deleting, setDeleting] = useState(false);
	const attempt = useAttempt();
	const { base, draft, dirty, version, type, restart } = useDraft(["group", at], read, draftOf);
	const domain = useQuery({
		queryKey: ["domain", base.domain],
		queryFn: () => domains.get(base.domain),
	}).data?.value;

	async function save() {
		if (draft.rows.some((row) => !row.left.trim()))
			return attempt.refuse("addresses", say("leftPartMissing"));
		const done = await attempt.run(async () => {
			await groups.change(
				base.address,
				{
					name: draft.name,
					enabled: draft.enabled,
					members: draft.members,
					addresses: settingsOf(draft.rows, false),
				},
				version,
			);
			restart(await groups.get(base.address));
		});
		if (done) tell(say, say("saved"));
	}

	return (
		<section className="card">
			<Form attempt={attempt} onSubmit={save}>
				<div className="stack fields">
					<TextInput
						label={say("displayName")}
						data-field="name"
						error={attempt.errorOf("name")}
						value={draft.name}
						onChange={(e) => type({ name: e.currentTarget.value })}
						disabled={!mayRoute}
					/>
					<SwitchField
						label={say("enabled")}
						data-field="enabled"
						checked={draft.enabled}
						onChange={(e) => type({ enabled: e.currentTarget.checked })}
						disabled={!mayRoute}
					/>
				</div>
				<Members
					members={draft.members}
					error={attempt.errorOf("members", "member")}
					readOnly={!mayRoute}
					onChange={(members) => type({ members })}
				/>
				<section className="stack tight" aria-labelledby="addresses" style={{ maxWidth: 760 }}>
					<h2 id="addresses">{say("addresses")}</h2>
					<AddressTable
						label={say("addressesOf", { name: base.name || base.address })}
						rows={draft.rows}
						names={domain ? [domain.name, ...domain.aliases] : [base.domain]}
						show="plain"
						readOnly={!mayRoute}
						errorOf={attempt.errorOf}
						onChange={(rows) => type({ rows })}
					/>
				</section>
				{mayRoute && (
					<>
						<div>
							<Button color="red" variant="outline" onClick={() => setDeleting(true)}>
								{say("deleteGroup")}
							</Button>
						</div>
						<SaveBar
							attempt={attempt}
							dirty={dirty}
							onCancel={() => {
								attempt.forget();
								restart();
							}}
						/>
					</>
				)}
			</Form>
			<Confirm
				title={say("deleteGroup")}
				text={say("deleteGroupText", { address: base.address, n: base.members.length })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={() => groups.remove(base.address)}
				onDone={() => {
					tell(say, say("deleted", { name: base.address }));
					go("/directory");
				}}
			/>
		</section>
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
