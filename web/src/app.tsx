import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Route, Switch } from "wouter";
import { session as api } from "./api";
import type { Session } from "./api";
import { Frame } from "./frame/Frame";
import { forgetDrafts } from "./parts/drafts";
import { Await } from "./parts/states";
import { Account } from "./screens/Account";
import { Administrators } from "./screens/Administrators";
import { Changes } from "./screens/Changes";
import { Deleted } from "./screens/Deleted";
import { DirectoryBrowser } from "./screens/DirectoryBrowser";
import { DomainScreen } from "./screens/Domain";
import { Domains } from "./screens/Domains";
import { Filters } from "./screens/Filters";
import { GroupScreen } from "./screens/Group";
import { Missing } from "./screens/Missing";
import { NewEntry } from "./screens/NewEntry";
import { Overview } from "./screens/Overview";
import { Queue } from "./screens/Queue";
import { RouteQuestion } from "./screens/RouteQuestion";
import { SharedScreen } from "./screens/Shared";
import { SignIn } from "./screens/SignIn";
import { Systems } from "./screens/Systems";
import { UserScreen } from "./screens/User";
import { WhoContext } from "./session";

const selectedDomain = "splitmail-domain";

export function App() {
	const cache = useQueryClient();
	/** Whose what was shown and typed is. */
	const last = useRef<string>(undefined);
	const query = useQuery({
		queryKey: ["session"],
		queryFn: look,
		staleTime: Infinity,
		// Another window may have signed out, or in as somebody else.
		refetchOnWindowFocus: "always",
	});
	const [domain, setDomain] = useState(sessionStorage.getItem(selectedDomain));

	useEffect(() => {
		if (query.data === null) notifications.clean();
	}, [query.data]);

	// Nothing that was shown to one is kept for the next.  Who comes back after
	// his session had ended finds what he had typed.
	function forget(who: Session | null) {
		if (who?.name !== last.current) forgetDrafts();
		if (who) last.current = who.name;
		cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
	}
	async function look() {
		const who = await api.get();
		if (who && who.name !== last.current) forget(who);
		return who;
	}
	// A look that is under way was about the one before.
	async function become(who: Session | null) {
		await cache.cancelQueries({ queryKey: ["session"] });
		forget(who);
		cache.setQueryData(["session"], who);
	}

	return (
		<Await query={query}>
			{(session) =>
				session === null ? (
					<SignIn
						onSignedIn={become}
					/>
				) : (
					<WhoContext.Provider
						key={session.name}
						value={{
							session,
							domain: session.domain ?? domain,
							setDomain(name) {
								if (name) sessionStorage.setItem(selectedDomain, name);
								else sessionStorage.removeItem(selectedDomain);
								setDomain(name);
							},
							async signOut() {
								await api.signOut().catch(() => undefined);
								sessionStorage.clear();
								await become(null);
							},
						}}
					>
						<Frame>
							<Switch>
								<Route path="/" component={Overview} />
								<Route path="/directory" component={DirectoryBrowser} />
								<Route path="/directory/new/:kind" component={NewEntry} />
								<Route path="/directory/user/:address/:tab?" component={UserScreen} />
								<Route path="/directory/group/:address/:tab?" component={GroupScreen} />
								<Route path="/directory/shared/:address/:tab?" component={SharedScreen} />
								<Route path="/deleted" component={Deleted} />
								<Route path="/create-domain" component={Domains} />
								<Route path="/domains" component={Domains} />
								<Route path="/domains/:name/:tab?" component={DomainScreen} />
								<Route path="/systems" component={Systems} />
								<Route path="/filters" component={Filters} />
								<Route path="/administrators" component={Administrators} />
								<Route path="/queue" component={Queue} />
								<Route path="/route/:address?" component={RouteQuestion} />
								<Route path="/changes" component={Changes} />
								<Route path="/account/:tab?" component={Account} />
								<Route component={Missing} />
							</Switch>
						</Frame>
					</WhoContext.Provider>
				)
			}
		</Await>
	);
}
