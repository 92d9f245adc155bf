import { Button, Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { Problem } from "../api";
import { sentence } from "../refusals";
import { useWho } from "../session";
import { useWords } from "../words";
import { Icon } from "./icons";
import type { IconName } from "./icons";

export function Loading({ lines = 5 }: { lines?: number }) {
	const { say } = useWords();
	return (
		<div className="stack" role="status" style={{ padding: 20 }}>
			<span className="for-readers">{say("loading")}</span>
			{Array.from({ length: lines }, (_, i) => (
				<Skeleton key={i} height={20} width={`${92 - ((i * 17) % 40)}%`} />
			))}
		</div>
	);
}

interface EmptyProps {
	icon: IconName;
	title: string;
	hint: string;
	children?: ReactNode;
}

export function Empty({ icon, title, hint, children }: EmptyProps) {
	return (
		<div className="state">
			<Icon name={icon} size={34} />
			<h2>{title}</h2>
			<p className="hint">{hint}</p>
			{children}
		</div>
	);
}

/** What can be made only in a domain, while there is none. */
export function NoDomain() {
	const { say } = useWords();
	const { isSuper } = useWho();
	const [, go] = useLocation();
	return (
		<Empty icon="domain" title={say("chooseDomain")} hint={say("chooseDomainHint")}>
			{isSuper && <Button onClick={() => go("/create-domain")}>{say("createDomain")}</Button>}
		</Empty>
	);
}

export function Trouble({ error, again }: { error: unknown; again: () => void }) {
	const { say } = useWords();
	const gone = error instanceof Problem && error.status === 404;
	return (
		<div className="state" role="alert">
			<h2>{say(gone ? "notFound" : "troubleTitle")}</h2>
			<p className="hint">{gone ? say("notFoundHint") : sentence(error, say)}</p>
			<Button variant="default" onClick={again}>
				{say("tryAgain")}
			</Button>
		</div>
	);
}

/** Loading, trouble, or what was asked for. */
export function Await<T>({ query, children }: {
	query: UseQueryResult<T>;
	children: (data: T) => ReactNode;
}) {
	if (query.data !== undefined) return <>{children(query.data)}</>;
	if (query.isError) return <Trouble error={query.error} again={() => void query.refetch()} />;
	return <Loading />;
}
