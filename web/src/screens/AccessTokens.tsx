import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { tokens } from "../api";
import type { Token } from "../api";
import { Confirm, Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { Await, Empty } from "../parts/states";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Word } from "../words";
import { NewToken } from "./NewToken";

function TokenRow({ token, onDelete }: { token: Token; onDelete: () => void }) {
	const { say, time } = useWords();
	const { isSuper } = useWho();
	return (
		<tr>
			<td className="full breakable">
				{token.name} {token.expired && <span className="tag bad">{say("expired")}</span>}
			</td>
			<td>{say(`scope_${token.scope}` as Word)}</td>
			{isSuper && <td className="breakable" data-label={say("tokenOf")}>{token.administrator}</td>}
			<td className="small numbers" data-label={say("madeAt")}>{time(token.created_at)}</td>
			<td className="small numbers" data-label={say("expiresAt")}>{time(token.expires_at)}</td>
			<td>
				<Button
					variant="default"
					size="compact-sm"
					onClick={onDelete}
					aria-label={say("deleteTokenNamed", { name: token.name })}
				>
					{say("delete")}
				</Button>
			</td>
		</tr>
	);
}

function TokenTable({ items, onDelete }: { items: Token[]; onDelete: (token: Token) => void }) {
	const { say } = useWords();
	const { isSuper } = useWho();
	return (
		<div className="table-scroll">
			<table className="table folds">
				<thead>
					<tr>
						<th scope="col">{say("name")}</th>
						<th scope="col">{say("scope")}</th>
						{isSuper && <th scope="col">{say("tokenOf")}</th>}
						<th scope="col">{say("madeAt")}</th>
						<th scope="col">{say("expiresAt")}</th>
						<th scope="col">
							<span className="for-readers">{say("delete")}</span>
						</th>
					</tr>
				</thead>
				<tbody>
					{items.map((token) => (
						<TokenRow key={token.id} token={token} onDelete={() => onDelete(token)} />
					))}
				</tbody>
			</table>
		</div>
	);
}

/** What scripts sign in with; a superadministrator sees everybody's. */
export function AccessTokens() {
	const { say } = useWords();
	const [making, setMaking] = useState(false);
	const [deleting, setDeleting] = useState<Token | null>(null);
	const query = useQuery({ queryKey: ["tokens"], queryFn: tokens.list });
	const name = deleting?.name ?? "";

	return (
		<div className="stack">
			<div className="row">
				<p className="hint grow">{say("tokensHint")}</p>
				<Button leftSection={<Icon name="plus" />} onClick={() => setMaking(true)}>
					{say("newToken")}
				</Button>
			</div>
			<Await query={query}>
				{({ items }) =>
					items.length === 0 ? (
						<Empty icon="key" title={say("tokensEmpty")} hint={say("tokensEmptyHint")} />
					) : (
						<TokenTable items={items} onDelete={setDeleting} />
					)
				}
			</Await>
			<Dialog title={say("newToken")} opened={making} onClose={() => setMaking(false)} holds>
				<NewToken onClose={() => setMaking(false)} />
			</Dialog>
			<Confirm
				title={say("deleteToken")}
				text={say(deleting?.expired ? "deleteExpiredTokenText" : "deleteTokenText", {
					name,
					administrator: deleting?.administrator ?? "",
				})}
				action={say("delete")}
				opened={deleting !== null}
				onClose={() => setDeleting(null)}
				onConfirm={() => tokens.remove(deleting!.id)}
				onDone={() => tell(say, say("deleted", { name }))}
			/>
		</div>
	);
}
