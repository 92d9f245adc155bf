import { Link, useLocation } from "wouter";
import { Icon } from "../parts/icons";
import type { IconName } from "../parts/icons";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Word } from "../words";

interface Item {
	word: Word;
	to: string;
	icon: IconName;
	/** Paths below which this item is the current one. */
	under?: string[];
	hidden?: boolean;
	/** Makes something for the list above it. */
	makes?: boolean;
}

export function Menu({ onGo }: { onGo?: () => void }) {
	const { say } = useWords();
	const { isSuper, mayRoute } = useWho();
	const [location] = useLocation();

	const groups: { word: Word | null; items: Item[] }[] = [
		{ word: null, items: [{ word: "overview", to: "/", icon: "overview" }] },
		{
			word: "directories",
			items: [
				{
					word: "directoryBrowser",
					to: "/directory",
					icon: "directory",
					under: ["/directory/user/", "/directory/group/", "/directory/shared/"],
				},
				{ word: "newUser", to: "/directory/new/user", icon: "plus", makes: true },
				{ word: "newGroup", to: "/directory/new/group", icon: "plus", makes: true, hidden: !mayRoute },
				{ word: "newShared", to: "/directory/new/shared", icon: "plus", makes: true, hidden: !mayRoute },
				{ word: "keptTitle", to: "/deleted", icon: "trash" },
			],
		},
		{
			word: "systemManagement",
			items: [
				{ word: "modifyDomain", to: "/domains", icon: "domain", under: ["/domains/"] },
				{ word: "createDomain", to: "/create-domain", icon: "plus", makes: true, hidden: !isSuper },
				{ word: "mailSystems", to: "/systems", icon: "system" },
				{ word: "filters", to: "/filters", icon: "filter", hidden: !isSuper },
				{ word: "administrators", to: "/administrators", icon: "key", hidden: !isSuper },
				{ word: "changes", to: "/changes", icon: "changes", hidden: !mayRoute },
			],
		},
		{
			word: "mailFlow",
			items: [
				{ word: "queue", to: "/queue", icon: "queue", hidden: !mayRoute },
				{ word: "whereDoesItGo", to: "/route", icon: "route", under: ["/route/"] },
			],
		},
	];

	return (
		<nav aria-label={say("mainMenu")}>
			{groups.map(({ word, items }) => (
				<div key={word ?? "top"}>
					{word && <h2 className="menu-group">{say(word)}</h2>}
					<ul className="menu-list">
						{items
							.filter((item) => !item.hidden)
							.map((item) => (
								<li key={item.word}>
									<Link
										href={item.to}
										className={item.makes ? "menu-link makes" : "menu-link"}
										onClick={onGo}
										aria-current={
											location === item.to || item.under?.some((p) => location.startsWith(p))
												? "page"
												: undefined
										}
									>
										<Icon name={item.icon} size={item.makes ? 15 : 19} />
										{say(item.word)}
									</Link>
								</li>
							))}
					</ul>
				</div>
			))}
			{/* Beside this page: what is typed here stays. */}
			<ul className="menu-list menu-manual">
				<li>
					<a href="/help/" target="_blank" rel="noopener" className="menu-link" onClick={onGo}>
						<Icon name="book" />
						{say("manual")}
					</a>
				</li>
			</ul>
		</nav>
	);
}
