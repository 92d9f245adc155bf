import { Tabs } from "@mantine/core";
import { useLocation, useParams } from "wouter";
import { Page } from "../parts/page";
import { useWho } from "../session";
import { useWords } from "../words";
import { AccessTokens } from "./AccessTokens";
import { AccountPassword } from "./AccountPassword";
import { SecondFactor } from "./SecondFactor";

/** The own account: how one signs in, and how one's scripts do. */
export function Account() {
	const { say } = useWords();
	const { session } = useWho();
	const [, go] = useLocation();
	const tab = useParams().tab ?? "password";

	return (
		<Page title={say("yourAccount")} tags={<span className="tag plain">{session.name}</span>}>
			<section className="card" aria-label={say("yourAccount")}>
				<Tabs value={tab} onChange={(chosen) => chosen && go(`/account/${chosen}`)} keepMounted={false}>
					<Tabs.List>
						<Tabs.Tab value="password">{say("password")}</Tabs.Tab>
						<Tabs.Tab value="second-factor">{say("secondFactor")}</Tabs.Tab>
						<Tabs.Tab value="tokens">{say("accessTokens")}</Tabs.Tab>
					</Tabs.List>
					<Tabs.Panel value="password" className="panel">
						<AccountPassword />
					</Tabs.Panel>
					<Tabs.Panel value="second-factor" className="panel">
						<SecondFactor />
					</Tabs.Panel>
					<Tabs.Panel value="tokens" className="panel">
						<AccessTokens />
					</Tabs.Panel>
				</Tabs>
			</section>
		</Page>
	);
}
