import { Button, TextInput } from "@mantine/core";
import { useLocation, useParams } from "wouter";
import { groups, shared, users } from "../api";
import type { Kind } from "../api";
import { DomainField, useDomains, useLikelyDomain } from "../parts/DomainField";
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
const blank = { left: "", domain: null as string | null, name: "", password: "", members: "" };

function NewEntryForm({ kind }: { kind: Kind }) {
	const { say } = useWords();
	const [, go] = useLocation();
	const attempt = useAttempt();
	const likely = useLikelyDomain();
	const [typed, type] = useTyped(blank);
	const domain = typed.domain ?? likely;
	const field = fieldsOf({ attempt, draft: typed, type });

	async function create(edit: boolean) {
		const left = typed.left.trim();
		if (!left) return attempt.refuse("address", say("leftPartMissing"));
		if (!domain) return attempt.refuse("domain", say("required"));
		const address = `${left}@${domain}`;
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
					<DomainField
						className="grow"
						attempt={attempt}
						value={domain}
						onChange={(name) => type({ domain: name })}
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
	const query = useDomains("");
	if (!(kind in titles)) return <Missing />;

	return (
		<Page title={say(titles[kind])} crumbs={[{ label: say("directories") }]}>
			<section className="card">
				<Await query={query}>
					{({ items }) =>
						items.length > 0 ? (
							<NewEntryForm key={kind} kind={kind} />
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
