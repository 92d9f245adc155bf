import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { domains, shared } from "../api";
import type { Shared, Versioned } from "../api";
import { SwitchField } from "../parts/CheckField";
import { AddressTable, rowsOf, settingsOf } from "../parts/AddressTable";
import { Confirm } from "../parts/dialog";
import { useDraft } from "../parts/draft";
import { Form, SaveBar, sizeOf, sizeText, useAttempt } from "../parts/form";
import { named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

const draftOf = (s: Shared) => ({
	name: s.name,
	enabled: s.enabled,
	quota: sizeText(s.quota),
	rows: rowsOf(s.addresses),
});

function SharedForm({ read, at }: { read: Versioned<Shared>; at: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const [, go] = useLocation();
	const [deleting, setDeleting] = useState(false);
	const attempt = useAttempt();
	const { base, draft, dirty, version, type, restart } = useDraft(["shared", at], read, draftOf);
	const domain = useQuery({
		queryKey: ["domain", base.domain],
		queryFn: () => domains.get(base.domain),
	}).data?.value;

	async function save() {
		if (draft.rows.some((row) => !row.left.trim()))
			return attempt.refuse("addresses", say("leftPartMissing"));
		const done = await attempt.run(async () => {
			await shared.change(
				base.address,
				{
					name: draft.name,
					enabled: draft.enabled,
					quota: sizeOf(draft.quota),
					addresses: settingsOf(draft.rows, false),
				},
				version,
			);
			restart(await shared.get(base.address));
		});
		if (done) tell(say, say("saved"));
	}

	return (
		<section className="card">
			<Form attempt={attempt} onSubmit={save}>
				{base.builtin && <p className="notice here">{say("sharedBuiltin")}</p>}
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
						error={attempt.errorOf("enabled")}
						checked={draft.enabled}
						onChange={(e) => type({ enabled: e.currentTarget.checked })}
						disabled={!mayRoute}
					/>
					<TextInput
						label={say("quota")}
						description={say("quotaHint")}
						data-field="quota"
						error={attempt.errorOf("quota")}
						value={draft.quota}
						onChange={(e) => type({ quota: e.currentTarget.value })}
						disabled={!mayRoute}
					/>
				</div>
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
						{!base.builtin && (
							<div>
								<Button color="red" variant="outline" onClick={() => setDeleting(true)}>
									{say("deleteShared")}
								</Button>
							</div>
						)}
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
				title={say("deleteShared")}
				text={say("deleteSharedText", { address: base.address })}
				action={say("delete")}
				opened={deleting}
				onClose={() => setDeleting(false)}
				onConfirm={() => shared.remove(base.address)}
				onDone={() => {
					tell(say, say("deleted", { name: base.address }));
					go("/directory");
				}}
			/>
		</section>
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
		>
			<Await query={query}>{(read) => <SharedForm read={read} at={address} />}</Await>
		</Page>
	);
}
