import { Button, TextInput } from "@mantine/core";
import { useLocation } from "wouter";
import { administrators, domains } from "../api";
import { Dialog } from "../parts/dialog";
import { useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { Form, listOf, useAttempt } from "../parts/form";
import { domainPath } from "../parts/page";
import { tell } from "../parts/tell";
import { PasswordField } from "../parts/PasswordField";
import { useWords } from "../words";

const blank = {
	name: "",
	aliases: "",
	administrator: "",
	password: "",
	/** The domain that is there when only its administrator was refused. */
	made: "",
};

/** The dialog "New domain": Create, Create & edit, Cancel. */
export function CreateDomain({ opened, onClose }: { opened: boolean; onClose: () => void }) {
	const { say } = useWords();
	const [, go] = useLocation();
	const { draft: typed, type, forget } = useTypedOver(
		["new", "domain"],
		"",
		{ value: blank, version: null },
		(begun: typeof blank) => begun,
	);
	const { made } = typed;
	const attempt = useAttempt();
	const field = fieldsOf({ attempt, draft: typed, type });

	function close() {
		attempt.forget();
		onClose();
	}
	function cancel() {
		forget();
		close();
	}

	async function create(edit: boolean) {
		const name = typed.name.trim();
		if (!name) return attempt.refuse("name", say("required"));
		if (typed.password && !typed.administrator.trim())
			return attempt.refuse("administrator", say("required"));
		const done = await attempt.run(async () => {
			if (!made) await domains.create(name, { aliases: listOf(typed.aliases) });
			type({ made: name });
			const administrator = typed.administrator.trim();
			if (administrator)
				await administrators.create(administrator, {
					role: "domain-admin",
					domain: name,
					...(typed.password && { password: typed.password }),
				});
		});
		if (!done) return;
		forget();
		tell(say, say("created", { name }));
		if (edit) go(domainPath(name, "mail"));
		else onClose();
	}

	// A name is refused by the domain, or later by the administrator.
	const nameError = attempt.errorOf("name");
	return (
		<Dialog title={say("newDomain")} opened={opened} onClose={close} holds>
			<Form attempt={attempt} onSubmit={() => create(false)} label={say("newDomain")}>
				{made && (
					<p className="notice here" role="status">
						{say("domainWithoutAdministrator", { name: made })}
					</p>
				)}
				<TextInput
					label={say("domainName")}
					description={say("domainNameHint")}
					data-field={made ? "" : "name"}
					error={made ? null : nameError}
					value={typed.name}
					onChange={(e) => type({ name: e.currentTarget.value })}
					readOnly={Boolean(made)}
					autoCapitalize="none"
					spellCheck={false}
					required
					data-autofocus
				/>
				<TextInput
					label={say("aliases")}
					description={say("aliasesHint")}
					{...field.text("aliases")}
					readOnly={Boolean(made)}
					autoCapitalize="none"
					spellCheck={false}
				/>
				<div className="row bottom">
					<TextInput
						className="grow"
						label={say("firstAdministrator")}
						description={say("firstAdministratorHint")}
						data-field={made ? "administrator name domain role" : "administrator"}
						error={attempt.errorOf("administrator") ?? (made ? attempt.errorOf("name", "domain", "role") : null)}
						value={typed.administrator}
						onChange={(e) => type({ administrator: e.currentTarget.value })}
						autoComplete="off"
						autoCapitalize="none"
						spellCheck={false}
					/>
					<PasswordField
						className="grow"
						label={say("password")}
						{...field.text("password")}
						autoComplete="new-password"
					/>
				</div>
				<div className="row end">
					<Button variant="default" onClick={cancel}>
						{say(made ? "close" : "cancel")}
					</Button>
					<Button variant="light" onClick={() => create(true)} loading={attempt.busy}>
						{say("createAndEdit")}
					</Button>
					<Button type="submit" loading={attempt.busy}>
						{say("create")}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}
