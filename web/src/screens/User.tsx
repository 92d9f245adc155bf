import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation, useParams } from "wouter";
import { users } from "../api";
import { MailSystemTag } from "../parts/MailSystemTag";
import { useUnsaved } from "../parts/drafts";
import { EntryLinks } from "../parts/EntryLinks";
import { entryPath, named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { useWords } from "../words";
import { UserGeneral } from "./UserGeneral";
import { UserMail } from "./UserMail";
import { UserMaintenance } from "./UserMaintenance";

export function UserScreen() {
	const { say } = useWords();
	const [, go] = useLocation();
	const params = useParams();
	const address = named(params.address);
	const tab = params.tab ?? "general";
	const unsaved = useUnsaved(["user", address], say("unsaved"));
	const query = useQuery({ queryKey: ["user", address], queryFn: () => users.get(address) });
	const user = query.data?.value;

	return (
		<Page
			title={user?.name || address}
			crumbs={[
				{ label: say("directories") },
				{ label: say("directoryBrowser"), to: "/directory" },
			]}
			tags={
				user && (
					<>
						<MailSystemTag of={user.mail_system} where={user.routed_to} />
						{!user.enabled && <span className="tag bad">{say("disabled")}</span>}
					</>
				)
			}
			actions={<EntryLinks address={user?.address ?? address} />}
		>
			<Await query={query}>
				{(read) => (
					<section className="card">
						<Tabs
							value={tab}
							onChange={(chosen) => chosen && go(`${entryPath("user", address)}/${chosen}`)}
							keepMounted={false}
						>
							<Tabs.List>
								<Tabs.Tab value="general" {...unsaved("general")}>{say("general")}</Tabs.Tab>
								<Tabs.Tab value="mail" {...unsaved("mail")}>{say("mail")}</Tabs.Tab>
								<Tabs.Tab value="maintenance" {...unsaved("maintenance")}>{say("maintenance")}</Tabs.Tab>
							</Tabs.List>
							<Tabs.Panel value="general" className="panel">
								<UserGeneral read={read} at={address} />
							</Tabs.Panel>
							<Tabs.Panel value="mail" className="panel">
								<UserMail read={read} at={address} />
							</Tabs.Panel>
							<Tabs.Panel value="maintenance" className="panel">
								<UserMaintenance read={read} at={address} />
							</Tabs.Panel>
						</Tabs>
					</section>
				)}
			</Await>
		</Page>
	);
}
