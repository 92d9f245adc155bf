import { DomainDkim } from "./DomainDkim";
import { DomainRecords } from "./DomainRecords";

/** Sender authentication: what others can prove of the domain's mail by the DNS. */
export function DomainAuthentication({ domain }: { domain: string }) {
	return (
		<div className="stack">
			<DomainRecords domain={domain} />
			<DomainDkim domain={domain} />
		</div>
	);
}
