import type { Domain } from "../api";
import { DomainDkim } from "./DomainDkim";
import { DomainRecords } from "./DomainRecords";

/** Sender authentication: what others can prove of the domain's mail by the DNS. */
export function DomainAuthentication({ domain }: { domain: Domain }) {
	return (
		<div className="stack">
			<DomainRecords key={domain.name} names={[domain.name, ...domain.aliases]} />
			<DomainDkim domain={domain.name} />
		</div>
	);
}
