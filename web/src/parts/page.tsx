import { useEffect } from "react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useWords } from "../words";

export interface Crumb {
	label: string;
	to?: string;
}

interface PageProps {
	title: string;
	crumbs?: Crumb[];
	tags?: ReactNode;
	actions?: ReactNode;
	hint?: string;
	children: ReactNode;
}

/** Breadcrumb, heading and content of every screen but sign-in. */
export function Page({ title, crumbs = [], tags, actions, hint, children }: PageProps) {
	const { say } = useWords();
	useEffect(() => {
		document.title = `${title} – ${say("product")}`;
	}, [title, say]);

	const trail = [{ label: say("centralAdministration"), to: "/" }, ...crumbs];
	return (
		<>
			<nav className="crumbs" aria-label={say("youAreHere")}>
				<ol>
					{trail.map((crumb) => (
						<li key={crumb.label}>
							{crumb.to ? <Link href={crumb.to}>{crumb.label}</Link> : crumb.label}
						</li>
					))}
					<li aria-current="page">{title}</li>
				</ol>
			</nav>
			<div className="page-head">
				<h1>{title}</h1>
				{tags}
				{actions && <div className="actions">{actions}</div>}
				{hint && <p className="hint" style={{ flexBasis: "100%" }}>{hint}</p>}
			</div>
			{children}
		</>
	);
}

/*
 * Addresses and names may hold any character; the router decodes a path once
 * on its own.
 */
export const segment = (name: string) =>
	encodeURIComponent(encodeURIComponent(name)).replace(/%2540/g, "@").replace(/%252B/g, "+");
export function named(part: string | undefined): string {
	try {
		return decodeURIComponent(part ?? "");
	} catch {
		return part ?? "";
	}
}

export const entryPath = (kind: string, address: string) =>
	`/directory/${kind}/${segment(address)}`;
export const domainPath = (name: string, tab = "") =>
	`/domains/${segment(name)}${tab && `/${tab}`}`;

/** A path whose filters are in its query. */
function filtered(path: string, filters: Record<string, string | undefined>) {
	const said = new URLSearchParams();
	for (const [name, value] of Object.entries(filters)) if (value) said.set(name, value);
	const text = said.toString();
	return text ? `${path}?${text}` : path;
}
/** The queue, of those who wait for one next hop, or one message. */
export const queuePath = (filters: { next_hop?: string; system?: string; recipient?: string; id?: string }) =>
	filtered("/queue", filters);
/** The Directory Browser as it finds them. */
export const directoryPath = (filters: {
	search?: string;
	kind?: string;
	mail_system?: string;
	enabled?: string;
	password?: string;
}) => filtered("/directory", filters);
/** Where does it go?  AS: who sends; the Internet, unless it is said. */
export const routePath = (address: string, as = "internet") =>
	filtered(`/route/${segment(address)}`, { as: as === "internet" ? undefined : as });
/** Mail systems, with the one of this name opened. */
export const systemPath = (name: string) => filtered("/systems", { name });
/** The change log of one thing. */
export const changesPath = (subject: string) => filtered("/changes", { subject });
