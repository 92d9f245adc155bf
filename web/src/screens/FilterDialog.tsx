import { Select, TextInput } from "@mantine/core";
import { filters } from "../api";
import type { Filter, FilterChange, Versioned } from "../api";
import { CheckField } from "../parts/CheckField";
import { useTypedOver } from "../parts/drafts";
import { fieldsOf } from "../parts/fields";
import { listOf, textOf, useAttempt } from "../parts/form";
import { RecordDialog, RecordForm } from "../parts/record";
import { useWords } from "../words";

type Direction = Filter["direction"];
type WhenDown = Filter["when_down"];

const directions = ["both", "in", "out"] as const satisfies Direction[];
const ways = ["later", "accept", "hold"] as const satisfies WhenDown[];

const draftOf = (f: Filter | null) => ({
	name: f?.name ?? "",
	socket: f?.socket ?? "",
	listeners: textOf(f?.listeners ?? []),
	direction: f?.direction ?? ("both" as Direction),
	when_down: f?.when_down ?? ("later" as WhenDown),
	timeout: f ? String(f.timeout) : "",
	position: f ? String(f.position) : "",
	enabled: f?.enabled ?? true,
});

/** Empty numbers are not set. */
function changeOf(draft: ReturnType<typeof draftOf>): FilterChange {
	const { name: _, listeners, timeout, position, ...rest } = draft;
	return {
		...rest,
		listeners: listOf(listeners),
		timeout: timeout.trim() || null,
		position: position.trim() || null,
	};
}

function FilterForm({ read, onClose }: { read: Versioned<Filter> | null; onClose: () => void }) {
	const { say } = useWords();
	const attempt = useAttempt();
	const { base, draft, type, forget } = useTypedOver<Filter | null, ReturnType<typeof draftOf>>(
		["filter", read?.value.name ?? ""],
		"",
		read ?? { value: null, version: null },
		draftOf,
	);
	const field = fieldsOf({ attempt, draft, type });
	const name = draft.name.trim();

	return (
		<RecordForm
			attempt={attempt}
			forget={forget}
			label={say("filters")}
			name={name}
			isNew={read === null}
			onSubmit={() =>
				read
					? filters.change(read.value.name, changeOf(draft), base.version)
					: filters.create(name, changeOf(draft))
			}
			onClose={onClose}
			deletion={
				read
					? {
							title: say("deleteFilter"),
							text: say("deleteFilterText", { name }),
							remove: () => filters.remove(name),
						}
					: undefined
			}
		>
			<TextInput
				label={say("name")}
				{...field.text("name")}
				readOnly={read !== null}
				variant={read ? "filled" : undefined}
				required={!read}
				data-autofocus={read ? undefined : true}
			/>
			<TextInput
				label={say("filterSocket")}
				description={say("filterSocketHint")}
				placeholder="inet:localhost:11332"
				{...field.text("socket")}
				autoCapitalize="none"
				spellCheck={false}
				required
			/>
			<div className="row" style={{ alignItems: "flex-start" }}>
				<Select
					className="grow"
					label={say("filterMail")}
					description={say("filterMailHint")}
					data={directions.map((value) => ({ value, label: say(`filterMail_${value}`) }))}
					{...field.choice("direction")}
				/>
				<Select
					className="grow"
					label={say("whenDown")}
					description={say(`filterDownHint_${draft.when_down}`)}
					data={ways.map((value) => ({ value, label: say(`filterDown_${value}`) }))}
					{...field.choice("when_down")}
				/>
			</div>
			<TextInput
				label={say("listeners")}
				description={say("listenersHint")}
				placeholder={say("listenersAll")}
				{...field.text("listeners")}
				autoCapitalize="none"
				spellCheck={false}
			/>
			<div className="row" style={{ alignItems: "flex-start" }}>
				<TextInput
					className="grow"
					label={say("filterTimeout")}
					description={say("filterTimeoutHint")}
					{...field.text("timeout")}
					inputMode="numeric"
					placeholder="30"
				/>
				<TextInput
					className="grow"
					label={say("filterPosition")}
					description={say("filterPositionHint")}
					{...field.text("position")}
					inputMode="numeric"
					placeholder={read ? undefined : say("filterPositionLast")}
				/>
			</div>
			<CheckField label={say("enabled")} description={say("filterEnabledHint")} {...field.check("enabled")} />
		</RecordForm>
	);
}

/** name: the one to edit; null: a new one; undefined: closed. */
export function FilterDialog({ name, onClose }: { name: string | null | undefined; onClose: () => void }) {
	const { say } = useWords();
	return (
		<RecordDialog
			name={name}
			newTitle={say("newFilter")}
			get={filters.get}
			queryKey="filter"
			size="lg"
			onClose={onClose}
		>
			{(read) => <FilterForm read={read} onClose={onClose} />}
		</RecordDialog>
	);
}
