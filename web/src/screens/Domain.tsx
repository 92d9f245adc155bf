import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation, useParams } from "wouter";
import { domains } from "../api";
import { useUnsaved } from "../parts/drafts";
import { domainPath, named, Page } from "../parts/page";
import { Await } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { DomainAuthentication } from "./DomainAuthentication";
import { DomainGeneral } from "./DomainGeneral";
import { DomainMail } from "./DomainMail";

/** Modify Domain: one domain, tabs General, Mail System and Sender authentication. */
export function DomainScreen() {
	const { say } = useWords();
	const { isSuper, mayRoute } = useWho();
	const [, go] = useLocation();
	const params = useParams();
	const name = named(params.name);
	const tab = params.tab ?? "general";
	const unsaved = useUnsaved(["domain", name], say("unsaved"));
	const query = useQuery({ queryKey: ["domain", name], queryFn: () => domains.get(name) });

	return (
		<Page
			title={name}
			crumbs={[
				{ label: say("systemManagement") },
				{ label: say("modifyDomain"), to: "/domains" },
			]}
		>
			<Await query={query}>
				{(read) => (
					<section className="card">
						<Tabs value={tab} onChange={(chosen) => chosen && go(domainPath(name, chosen))} keepMounted={false}>
							<Tabs.List>
								<Tabs.Tab value="general" {...unsaved("general")}>{say("general")}</Tabs.Tab>
								<Tabs.Tab value="mail" {...unsaved("mail")}>{say("mailSystemTab")}</Tabs.Tab>
								{mayRoute && <Tabs.Tab value="authentication">{say("authentication")}</Tabs.Tab>}
							</Tabs.List>
							<Tabs.Panel value="general" className="panel">
								<DomainGeneral read={read} mayDelete={isSuper} />
							</Tabs.Panel>
							<Tabs.Panel value="mail" className="panel">
								<DomainMail read={read} />
							</Tabs.Panel>
							{mayRoute && (
								<Tabs.Panel value="authentication" className="panel">
									<DomainAuthentication domain={read.value} />
								</Tabs.Panel>
							)}
						</Tabs>
					</section>
				)}
			</Await>
		</Page>
	);
}
