import { TextInput } from "@mantine/core";
import { users } from "../api";
import type { User, UserChange, Versioned } from "../api";
import { SwitchField } from "../parts/CheckField";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { Form, SaveBar } from "../parts/form";
import { useWords } from "../words";

const draftOf = (u: User) => ({ name: u.name, enabled: u.enabled });

export function UserGeneral({ read, at }: { read: Versioned<User>; at: string }) {
	const { say } = useWords();
	const editor = useEditor({
		key: ["user", at],
		form: "general",
		read,
		draftOf,
		changeOf: (draft) => draft,
		change: (change: UserChange, version) => users.change(read.value.address, change, version),
	});
	const { base, attempt } = editor;
	const field = fieldsOf(editor);

	return (
		<Form attempt={attempt} onSubmit={editor.save}>
			<div className="stack fields">
				<TextInput
					label={say("displayName")}
					{...field.text("name")}
				/>
				<TextInput
					label={say("login")}
					description={say("loginHint")}
					value={base.address}
					readOnly
					variant="filled"
				/>
				<SwitchField
					label={say("enabled")}
					description={say("userEnabledHint")}
					{...field.check("enabled")}
				/>
			</div>
			<SaveBar of={editor} />
		</Form>
	);
}
