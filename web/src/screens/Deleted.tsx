import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { kept } from "../api";
import type { Kept } from "../api";
import { whoText } from "../parts/changeWords";
import { Confirm, Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

type Act = "restore" | "erase";

function Row({ one, onAct }: { one: Kept; onAct: (act: Act) => void }) {
	const { say, time } = useWords();
	const { mayRoute } = useWho();
	const name = one.address;
	return (
		<tr>
			<td className="full breakable">
				{name} {one.kind === "shared" && <span className="tag plain">{say("kind_shared")}</span>}{" "}
				{!one.has_mail && <span className="tag">{say("keptNoMail")}</span>}{" "}
				{one.domain === null && <span className="tag bad">{say("keptDomainGone")}</span>}
				{one.name && <div className="hint small">{one.name}</div>}
			</td>
			<td className="small numbers" data-label={say("keptSince")}>{time(one.deleted)}</td>
			<td className="small numbers" data-label={say("keptUntil")}>{time(one.until)}</td>
			<td className="small breakable" data-label={say("keptBy")}>{whoText(one.deleted_by, say)}</td>
			<td>
				{(mayRoute || one.kind === "user") && (
					<Button
						variant="default"
						size="compact-sm"
						onClick={() => onAct("restore")}
						aria-label={say("keptRestoreNamed", { name })}
					>
						{say("keptRestore")}
					</Button>
				)}{" "}
				{mayRoute && (
					<Button
						variant="default"
						size="compact-sm"
						onClick={() => onAct("erase")}
						aria-label={say("keptEraseNamed", { name })}
					>
						{say("keptErase")}
					</Button>
				)}
			</td>
		</tr>
	);
}

/** Back with the address he had, or another one. */
function Restore({ one, onClose }: { one: Kept; onClose: () => void }) {
	const { say } = useWords();
	const attempt = useAttempt();
	const [as, setAs] = useState(one.address);

	async function restore() {
		const address = as.trim() || one.address;
		const other = address === one.address ? undefined : address;
		if (!(await attempt.run(() => kept.restore(one.id, other)))) return;
		onClose();
		tell(say, say("keptRestored", { name: address }));
	}
	return (
		<Form attempt={attempt} onSubmit={restore} label={say("keptRestore")}>
			<p>{say("keptRestoreText", { name: one.address })}</p>
			<TextInput
				label={say("keptAs")}
				description={say("keptAsHint")}
				data-field="address"
				error={attempt.errorOf("address")}
				value={as}
				onChange={(e) => setAs(e.currentTarget.value)}
				autoCapitalize="none"
				spellCheck={false}
			/>
			<div className="row end">
				<Button variant="default" onClick={onClose} data-autofocus>
					{say("cancel")}
				</Button>
				<Button type="submit" loading={attempt.busy}>
					{say("keptRestore")}
				</Button>
			</div>
		</Form>
	);
}

/** Users and shared mailboxes that were deleted, until their mail is gone. */
export function Deleted() {
	const { say } = useWords();
	const { domain } = useWho();
	const [chosen, setChosen] = useState<{ one: Kept; act: Act } | null>(null);
	const query = useQuery({
		queryKey: ["kept", domain],
		queryFn: () => kept.list({ domain: domain ?? undefined }),
	});
	const name = chosen?.one.address ?? "";
	const close = () => setChosen(null);

	return (
		<Page title={say("keptTitle")} crumbs={[{ label: say("directories") }]} hint={say("keptHint")}>
			<section className="card flush" aria-label={say("keptTitle")}>
				<Await query={query}>
					{({ items }) =>
						items.length === 0 ? (
							<Empty icon="trash" title={say("keptEmpty")} hint={say("keptHint")} />
						) : (
							<div className="table-scroll">
								<table className="table folds">
									<thead>
										<tr>
											<th scope="col">{say("address")}</th>
											<th scope="col">{say("keptSince")}</th>
											<th scope="col">{say("keptUntil")}</th>
											<th scope="col">{say("keptBy")}</th>
											<th scope="col">
												<span className="for-readers">{say("keptRestore")}</span>
											</th>
										</tr>
									</thead>
									<tbody>
										{items.map((one) => (
											<Row key={one.id} one={one} onAct={(act) => setChosen({ one, act })} />
										))}
									</tbody>
								</table>
							</div>
						)
					}
				</Await>
			</section>
			<Dialog title={say("keptRestore")} opened={chosen?.act === "restore"} onClose={close} size="md" holds>
				{chosen && <Restore key={chosen.one.id} one={chosen.one} onClose={close} />}
			</Dialog>
			<Confirm
				title={say("keptErase")}
				text={say("keptEraseText", { name })}
				action={say("keptErase")}
				opened={chosen?.act === "erase"}
				onClose={close}
				onConfirm={() => kept.erase(chosen!.one.id)}
				onDone={() => tell(say, say("keptErased", { name }))}
			/>
		</Page>
	);
}
