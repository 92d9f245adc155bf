import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useLocation, useParams } from "wouter";
import { domains, groups, Problem, shared, systems, users } from "../api";
import type { Domain, Kind, MailSystem } from "../api";
import { DomainField, useDomains, useLikelyDomain } from "../parts/DomainField";
import { useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { Form, useAttempt } from "../parts/form";
import { entryPath, Page } from "../parts/page";
import { addressesOf, takeApart } from "../parts/pasted";
import { NewPasswordField, passwordLeast } from "../parts/PasswordField";
import { Await, NoDomain } from "../parts/states";
import { tell } from "../parts/tell";
import { useWords } from "../words";
import type { Word } from "../words";
import { Missing } from "./Missing";

const titles: Record<Kind, Word> = { user: "newUser", group: "newGroup", shared: "newShared" };
const blank = {
	left: "",
	domain: null as string | null,
	name: "",
	password: "",
	members: "",
	further: "",
	/** null: as most users of the domain have it. */
	mail_system: null as MailSystem | null,
	/** A named one; empty: the relay of the domain. */
	system: "",
};
type Typed = typeof blank;

/** "info, b.costa@example.net": left parts are on all aliases. */
const furtherOf = (typed: Typed) =>
	addressesOf(typed.further).map((address) => ({
		address: address.includes("@") ? address : `${address}@*`,
	}));

/** What was typed for the address: a whole one is taken apart. */
function apart(typed: Typed): Typed {
	const { left, domain, name } = takeApart(typed.left);
	return domain ? { ...typed, left, domain, name: typed.name || name } : { ...typed, left };
}

/** By an alias a domain is found, too: a login has its first name. */
async function domainOf(name: string): Promise<Domain | null> {
	try {
		return (await domains.get(name)).value;
	} catch (e) {
		if (e instanceof Problem && e.status === 404) return null;
		throw e;
	}
}

/** Where most users of a domain live: there the next one is likely to, too. */
const usualOf = (of: Domain | undefined): MailSystem =>
	of && of.alternate > of.hosted ? "alternate" : "hosted";

interface MailSystemFieldsProps {
	typed: Typed;
	type: (typed: Partial<Typed>) => void;
	of: Domain | undefined;
	errorOf: (...fields: string[]) => string | null;
}

/** Where a new user lives; elsewhere only when there is an elsewhere. */
function MailSystemFields({ typed, type, of, errorOf }: MailSystemFieldsProps) {
	const { say } = useWords();
	const usual = usualOf(of);
	const chosen = typed.mail_system ?? usual;
	const named = useQuery({ queryKey: ["systems"], queryFn: systems.list }).data?.items ?? [];
	const relay = of?.relay ?? "";
	const elsewhere = Boolean(relay) || named.length > 0;

	return (
		<div className="row" style={{ alignItems: "flex-start" }}>
			<Select
				className="grow"
				label={say("mailSystem")}
				description={
					of && !elsewhere
						? say("alternateNoRelay", { domain: of.name })
						: usual === "alternate" && chosen === usual
							? say("usualMailSystem")
							: undefined
				}
				data-field="mail_system"
				error={errorOf("mail_system")}
				data={[
					{ value: "hosted", label: say("hosted") },
					{ value: "alternate", label: say("alternate"), disabled: of !== undefined && !elsewhere },
					{ value: "none", label: say("noMail") },
				]}
				value={chosen}
				onChange={(value) =>
					type({
						mail_system: value as MailSystem,
						...(value === "alternate" && !relay && !typed.system ? { system: named[0]?.name ?? "" } : {}),
					})
				}
			/>
			{chosen === "alternate" && named.length > 0 && (
				<Select
					className="grow"
					label={say("system")}
					data-field="system"
					error={errorOf("system")}
					data={[
						{ value: "", label: relay ? say("domainRelay", { relay }) : say("domainRelayNone"), disabled: !relay },
						...named.map((s) => ({ value: s.name, label: s.name })),
					]}
					value={typed.system}
					onChange={(value) => type({ system: value ?? "" })}
				/>
			)}
		</div>
	);
}

function createUser(address: string, typed: Typed, of: Domain) {
	const mailSystem = typed.mail_system ?? usualOf(of);
	const further = furtherOf(typed);
	const left = address.slice(0, address.lastIndexOf("@"));
	return users.create(address, {
		name: typed.name.trim(),
		mail_system: mailSystem,
		...(mailSystem === "alternate" && typed.system && { system: typed.system }),
		...(further.length > 0 && { addresses: [{ address: `${left}@*` }, ...further] }),
		...(typed.password && { password: typed.password }),
	});
}

/** What comes after: the list, the new one, or another new one. */
type Then = "list" | "edit" | "another";

function NewEntryForm({ kind }: { kind: Kind }) {
	const { say } = useWords();
	const [, go] = useLocation();
	const attempt = useAttempt();
	const likely = useLikelyDomain();
	const [start, setStart] = useState(blank);
	const { draft: typed, type, forget } = useTypedOver(
		["new", kind],
		"",
		{ value: start, version: null },
		(begun: Typed) => begun,
	);
	const first = useRef<HTMLInputElement>(null);
	const domain = typed.domain ?? likely;
	const field = fieldsOf({ attempt, draft: typed, type });
	const of = useQuery({
		queryKey: ["domain", domain],
		queryFn: () => domains.get(domain!),
		enabled: domain !== null && kind === "user",
	}).data?.value;
	// The API names an entry of the list by its place; the first is the login.
	const further = [
		"addresses",
		...["", ...furtherOf(typed)].flatMap((_, i) => [`addresses/${i}`, `addresses/${i}/address`]),
	];

	async function create(then: Then) {
		const meant = apart(typed);
		type(meant);
		if (!meant.left) return attempt.refuse("address", say("leftPartMissing"));
		const given = meant.domain ?? likely;
		if (!given) return attempt.refuse("domain", say("required"));
		if (typed.password && typed.password.length < passwordLeast)
			return attempt.refuse("password", say("passwordTooShort", { n: passwordLeast }));
		let address = "";
		const done = await attempt.run(async () => {
			const name = meant.name.trim();
			const its = await domainOf(given);
			if (!its) throw new Problem(422, say("noSuchDomainHere", { domain: given }), "domain");
			address = `${meant.left}@${its.name}`;
			if (kind === "user") return createUser(address, meant, its);
			if (kind === "group") return groups.create(address, { name, members: addressesOf(meant.members) });
			return shared.create(address, { name });
		});
		if (!done) return;
		forget();
		tell(say, say("created", { name: address }));
		if (then === "edit") return go(`${entryPath(kind, address)}${kind === "user" ? "/mail" : ""}`);
		if (then === "list") return go("/directory");
		// The next one is likely to be such a one, too.
		setStart({ ...blank, domain: meant.domain, mail_system: meant.mail_system, system: meant.system });
		first.current?.focus();
	}

	return (
		<Form attempt={attempt} onSubmit={() => create("list")}>
			<div className="stack fields">
				<div className="row bottom" style={{ alignItems: "flex-start" }}>
					<TextInput
						ref={first}
						className="grow"
						label={say("newAddress")}
						data-field="address"
						error={attempt.errorOf("address")}
						value={typed.left}
						onChange={(e) => type({ left: e.currentTarget.value })}
						onBlur={() => apart(typed).left !== typed.left && type(apart(typed))}
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
				<TextInput label={say("displayName")} {...field.text("name")} />
				{kind === "user" && (
					<>
						<NewPasswordField
							label={say("password")}
							{...field.text("password")}
							onMake={(password) => {
								attempt.forget();
								type({ password });
							}}
							optional
						/>
						<MailSystemFields typed={typed} type={type} of={of} errorOf={attempt.errorOf} />
						<TextInput
							label={say("furtherAddresses")}
							description={say("furtherAddressesHint")}
							data-field={further.join(" ")}
							error={attempt.errorOf(...further)}
							value={typed.further}
							onChange={(e) => type({ further: e.currentTarget.value })}
							autoCapitalize="none"
							spellCheck={false}
						/>
					</>
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
					<Button
						variant="default"
						onClick={() => {
							forget();
							go("/directory");
						}}
					>
						{say("cancel")}
					</Button>
					<Button variant="light" onClick={() => create("another")} loading={attempt.busy}>
						{say("createAnother")}
					</Button>
					<Button variant="light" onClick={() => create("edit")} loading={attempt.busy}>
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
	const kind = useParams().kind as Kind;
	const query = useDomains("");
	if (!(kind in titles)) return <Missing />;

	return (
		<Page title={say(titles[kind])} crumbs={[{ label: say("directories") }]}>
			<section className="card">
				<Await query={query}>
					{({ items }) => (items.length > 0 ? <NewEntryForm key={kind} kind={kind} /> : <NoDomain />)}
				</Await>
			</section>
		</Page>
	);
}
