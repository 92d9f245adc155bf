import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "wouter";
import { shared } from "../api";
import type { Shared, SharedChange, Versioned } from "../api";
import { rowsOf, settingsOf } from "../parts/AddressTable";
import { useEditor } from "../parts/editor";
import { fieldsOf } from "../parts/fields";
import { sizeOf, sizeText } from "../parts/form";
import { named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { HolderForm } from "./HolderForm";

const draftOf = (s: Shared) => ({
	name: s.name,
	enabled: s.enabled,
	quota: sizeText(s.quota),
	rows: rowsOf(s.addresses),
});

const changeOf = ({ rows, quota, ...rest }: ReturnType<typeof draftOf>): SharedChange => ({
	...rest,
	quota: sizeOf(quota),
	addresses: settingsOf(rows, false),
});

function SharedForm({ read, at }: { read: Versioned<Shared>; at: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	const editor = useEditor({
		key: ["shared", at],
		read,
		draftOf,
		changeOf,
		change: (change: SharedChange, version) => shared.change(read.value.address, change, version),
	});
	const { base, draft, type } = editor;
	const field = fieldsOf(editor);

	return (
		<HolderForm
			of={base}
			editor={editor}
			draft={draft}
			type={type}
			deletion={
				base.builtin
					? undefined
					: {
							title: say("deleteShared"),
							text: say("deleteSharedText", { address: base.address }),
							remove: () => shared.remove(base.address),
						}
			}
			fields={
				<>
					<TextInput
						label={say("quota")}
						description={say("quotaHint")}
						{...field.text("quota")}
						disabled={!mayRoute}
					/>
					{base.builtin && <p className="notice here">{say("sharedBuiltin")}</p>}
				</>
			}
		/>
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
