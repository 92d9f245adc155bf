import { Link } from "wouter";
import type { Overview } from "../api";
import { useWho } from "../session";
import { useWords } from "../words";
import { domainPath, systemPath } from "./page";

export type HopFigures = Overview["systems"][number];

/** Where a next hop is set: a system by its name, a relay with its domain. */
function usePath(of: HopFigures, domains: Overview["domains"]): string | null {
	const { isSuper, mayRoute } = useWho();
	if (of.next_hop === "system") return isSuper ? systemPath(of.name) : "/systems";
	if (of.next_hop !== "relay" || !mayRoute) return null;
	const its = domains.filter((d) => d.relay === of.name);
	return its.length === 1 ? domainPath(its[0]!.name, "mail") : "/systems";
}

/** The name of a next hop, which leads to where it is set. */
export function HopName({ of, domains }: { of: HopFigures; domains: Overview["domains"] }) {
	const { say } = useWords();
	const path = usePath(of, domains);
	const name = of.kind === "system" ? of.name : say(of.kind === "mailboxes" ? "drawHere" : "byMx");
	return <strong className="breakable">{path ? <Link href={path}>{name}</Link> : name}</strong>;
}
