import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation, useParams } from "wouter";
import { domains, groups, shared, users } from "../api";
import type { Kind } from "../api";
import { fieldsOf, useTyped } from "../parts/fields";
import { Form, listOf, useAttempt } from "../parts/form";
import { entryPath, Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Word } from "../words";
import { Missing } from "./Missing";

const titles: Record<Kind, Word> = { user: "newUser", group: "newGroup", shared: "newShared" };
const blank = { left: "", domain: "", name: "", password: "", members: "" };

function NewEntryForm({ kind, names }: { kind: Kind; names: string[] }) {
	const { say } = useWords();
	const { domain } = useWho();
	const [, go] = useLocation();
	const attempt = useAttempt();
	const [typed, type] = useTyped({ ...blank, domain: domain ?? names[0] ?? "" });
	const field = fieldsOf({ attempt, draft: typed, type });

	async function create(edit: boolean) {
		const left = typed.left.trim();
		if (!left) return attempt.refuse("address", say("leftPartMissing"));
		const address = `${left}@${typed.domain}`;
		const name = typed.name.trim();
		const done = await attempt.run(() => {
			if (kind === "user")
				return users.create(address, { name, ...(typed.password && { password: typed.password }) });
			if (kind === "group") return groups.create(address, { name, members: listOf(typed.members) });
			return shared.create(address, { name });
		});
		if (!done) return;
		tell(say, say("created", { name: address }));
		if (edit) go(`${entryPath(kind, address)}${kind === "user" ? "/mail" : ""}`);
		else go("/directory");
	}

	return (
		<Form attempt={attempt} onSubmit={() => create(false)}>
			<div className="stack fields">
				<div className="row bottom" style={{ alignItems: "flex-start" }}>
					<TextInput
						className="grow"
						label={say("newAddress")}
						data-field="address"
						error={attempt.errorOf("address")}
						value={typed.left}
						onChange={(e) => type({ left: e.currentTarget.value })}
						rightSection={<span aria-hidden="true">@</span>}
						autoCapitalize="none"
						spellCheck={false}
						required
						autoFocus
					/>
					<Select
						className="grow"
						label={say("domain")}
						data-field="domain"
						error={attempt.errorOf("domain")}
						data={names}
						searchable
						value={typed.domain}
						onChange={(value) => type({ domain: value ?? "" })}
					/>
				</div>
				<TextInput
					label={say("displayName")}
					{...field.text("name")}
				/>
				{kind === "user" && (
					<PasswordField
						label={say("password")}
						description={say("optional")}
						{...field.text("password")}
						autoComplete="new-password"
					/>
				)}
				{kind === "group" && (
					<TextInput
						label={say("members")}
						description={say("forwardToHint")}
						data-field="members member"
						error={attempt.errorOf("members", "member")}
						value={typed.members}
						onChange={(e) => type({ members: e.currentTarget.value })}
					/>
				)}
				<div className="row end">
					<Button variant="default" onClick={() => go("/directory")}>
						{say("cancel")}
					</Button>
					<Button variant="light" onClick={() => create(true)} loading={attempt.busy}>
						{say("createAndEdit")}
					</Button>
					<Button type="submit" loading={attempt.busy}>
						{say("create")}
					</Button>
				</div>
			</div>
		</Form>
	);
}

/** New user, New group, New shared mailbox. */
export function NewEntry() {
	const { say } = useWords();
	const { isSuper } = useWho();
	const [, go] = useLocation();
	const kind = useParams().kind as Kind;
	const query = useQuery({
		queryKey: ["domains", "names"],
		queryFn: () => domains.list("", null, 500),
	});
	if (!(kind in titles)) return <Missing />;

	return (
		<Page title={say(titles[kind])} crumbs={[{ label: say("directories") }]}>
			<section className="card">
				<Await query={query}>
					{({ items }) =>
						items.length > 0 ? (
							<NewEntryForm key={kind} kind={kind} names={items.map((d) => d.name)} />
						) : (
							<Empty icon="domain" title={say("chooseDomain")} hint={say("chooseDomainHint")}>
								{isSuper && <Button onClick={() => go("/create-domain")}>{say("createDomain")}</Button>}
							</Empty>
						)
					}
				</Await>
			</section>
		</Page>
	);
}
