/*
 * The HTTP API, and nothing else knows how it is spoken.
 *
 * A call returns what was asked for, or throws a Problem.  What can be
 * changed comes with its version: give that back with the change, and a
 * change somebody else made meanwhile is not overwritten (412).
 */
import type { components, operations } from "./generated/api";

type Schemas = components["schemas"];
export type Session = Schemas["Session"];
export type TotpSecret = Schemas["TotpSecret"];
export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type CreatedToken = Schemas["CreatedToken"];
export type Domain = Schemas["Domain"];
export type DomainChange = Schemas["DomainChange"];
export type Entry = Schemas["Entry"];
export type EntryList = Schemas["EntryList"];
export type User = Schemas["User"];
export type UserChange = Schemas["UserChange"];
export type Group = Schemas["Group"];
export type GroupChange = Schemas["GroupChange"];
export type Shared = Schemas["Shared"];
export type SharedChange = Schemas["SharedChange"];
export type Address = Schemas["Address"];
export type Home = Schemas["Home"];
export type Kind = Schemas["Kind"];
export type MailSystem = Schemas["MailSystem"];
export type System = Schemas["System"];
export type Learnt = Schemas["Learnt"];
export type SystemChange = Schemas["SystemChange"];
export type Filter = Schemas["Filter"];
export type FilterChange = Schemas["FilterChange"];
export type Administrator = Schemas["Administrator"];
export type AdministratorChange = Schemas["AdministratorChange"];
export type Role = Schemas["Role"];
export type Route = Schemas["Route"];
export type QueueEntry = Schemas["QueueEntry"];
export type QueueMessage = Schemas["QueueMessage"];
export type QueueFilters = NonNullable<operations["listQueue"]["parameters"]["query"]>;
export type QueueOrder = Schemas["QueueOrder"];
export type Overview = Schemas["Overview"];
export type RelayTestReport = Schemas["RelayTestReport"];
export type BulkChange = Schemas["BulkChange"];
export type BulkPreview = Schemas["BulkPreview"];
export type Job = Schemas["Job"];
export type Refusal = Schemas["Refusal"];
export type Change = Schemas["Change"];
export type Renamed = Schemas["Renamed"];
export type Reason = Schemas["Reason"];
export type Values = Schemas["Values"];
export type Fact = Schemas["Fact"];
export type TroubleWord = Schemas["Trouble"]["what"];
export type Remark = Schemas["Remark"];
export type Published = Schemas["Published"];
export type PublishedRecord = Schemas["PublishedRecord"];
export type Rule = Schemas["Rule"];
export type ChangeFilters = NonNullable<operations["listChanges"]["parameters"]["query"]>;
export type EntryFilters = NonNullable<operations["listEntries"]["parameters"]["query"]>;

export interface Versioned<T> {
	value: T;
	version: string | null;
}

/** What the API said instead of doing it.  Status 0: nothing, it did not
 *  answer; no reason and no detail: the answer was not the API's. */
export class Problem extends Error {
	constructor(
		readonly status: number,
		readonly detail: string,
		readonly field: string | null = null,
		readonly reason: Reason | null = null,
		readonly values: Values = {},
	) {
		super(detail);
	}
}

/** No answer to what changes something: nobody knows whether it was done. */
export class Unanswered extends Problem {
	constructor() {
		super(0, "");
	}
}

let csrfToken: string | null = null;

/** Told when the session turns out to be over, or another one than it was:
 *  another window of this browser may have signed out, or in. */
let onOtherSession: () => void = () => undefined;
export const watchSession = (tell: () => void) => void (onOtherSession = tell);

// A page that is left open must not keep its session alive: what is asked a
// minute after the last touch is said to be nobody's doing.
const attentionMs = 60_000;
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "wheel"])
	window.addEventListener(sign, () => (touched = Date.now()), { capture: true, passive: true });

async function problemOf(response: Response): Promise<Problem> {
	try {
		const said = (await response.json()) as Schemas["Problem"];
		return new Problem(
			response.status,
			said.detail,
			said.field ?? null,
			said.reason,
			said.values,
		);
	} catch {
		return new Problem(response.status, "");
	}
}

/** Whatever comes of it, nothing is changed by it. */
const onlyAsks = (method: string, path: string) =>
	method === "GET" || ["/session", "/relay-test", "/users/bulk?preview=true"].includes(path);

async function call(
	method: string,
	path: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<Response> {
	if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
	if (method === "GET" && Date.now() - touched > attentionMs) headers["X-Unattended"] = "true";
	if (body !== undefined) headers["Content-Type"] = "application/json";
	let response: Response;
	try {
		const answer = await fetch(`/api/v1${path}`, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: "same-origin",
			cache: "no-store",
		});
		// To its end: an answer that breaks off is none.
		response = new Response(answer.status === 204 ? null : await answer.blob(), answer);
	} catch {
		throw onlyAsks(method, path) ? new Problem(0, "") : new Unanswered();
	}
	if (response.ok) return response;
	const problem = await problemOf(response);
	const isOver = problem.reason === "not-signed-in" && path !== "/session";
	const isAnother = problem.reason === "csrf-token-wrong";
	if (isAnother && (await isSameAgain(headers))) return call(method, path, body, headers);
	if (isOver || isAnother) onOtherSession();
	throw problem;
}

/** Signed in anew elsewhere, by the same one: the request may be made again. */
async function isSameAgain(before: Record<string, string>): Promise<boolean> {
	const name = signedIn;
	const who = await session.get();
	return who !== null && who.name === name && who.csrf_token !== before["X-CSRF-Token"];
}

async function read<T>(path: string): Promise<T> {
	return (await call("GET", path)).json() as Promise<T>;
}

async function versioned<T>(response: Response): Promise<Versioned<T>> {
	return { value: (await response.json()) as T, version: response.headers.get("ETag") };
}

async function change<T>(
	method: "PATCH" | "PUT",
	path: string,
	body: unknown,
	version: string | null,
): Promise<Versioned<T>> {
	const headers: Record<string, string> = version ? { "If-Match": version } : {};
	return versioned(await call(method, path, body, headers));
}

/** That it exists already is said of NAMED, the field with its name. */
async function create<T>(path: string, body: unknown, named: string): Promise<T> {
	try {
		return (await call("PUT", path, body, { "If-None-Match": "*" })).json() as Promise<T>;
	} catch (e) {
		if (!(e instanceof Problem) || e.reason !== "exists-already") throw e;
		throw new Problem(e.status, e.detail, named, e.reason, e.values);
	}
}

async function remove(path: string): Promise<void> {
	await call("DELETE", path);
}

const part = encodeURIComponent;

function query(values: Record<string, unknown>): string {
	const said = new URLSearchParams();
	for (const [name, value] of Object.entries(values))
		if (value !== undefined && value !== null && value !== "") said.set(name, String(value));
	const text = said.toString();
	return text ? `?${text}` : "";
}

/** The same calls for everything that has a name of its own; NAMED is the
 *  field of the forms that holds it. */
function things<T, C>(folder: string, named: "name" | "address") {
	return {
		get: async (name: string) => versioned<T>(await call("GET", `${folder}/${part(name)}`)),
		create: (name: string, body: C) => create<T>(`${folder}/${part(name)}`, body, named),
		change: (name: string, body: C, version: string | null) =>
			change<T>("PATCH", `${folder}/${part(name)}`, body, version),
		/** ALONG: with what leads there. */
		remove: (name: string, along = false) =>
			remove(`${folder}/${part(name)}${along ? "?references=remove" : ""}`),
		/** TO becomes the name it goes by; the old one may stay beside it. */
		rename: async (name: string, to: string, keepOld: boolean) =>
			(
				await call("POST", `${folder}/${part(name)}/rename`, { [named]: to, keep_old: keepOld })
			).json() as Promise<Renamed>,
	};
}

let signedIn: string | null = null;

function remember(who: Session) {
	csrfToken = who.csrf_token;
	signedIn = who.name;
}

export const session = {
	async get(): Promise<Session | null> {
		try {
			const who = await read<Session>("/session");
			remember(who);
			return who;
		} catch (e) {
			if (e instanceof Problem && e.status === 401) return null;
			throw e;
		}
	},
	/** 401 at field "code": a code is needed, or this one is wrong. */
	async signIn(name: string, password: string, code?: string): Promise<Session> {
		const who = (await (
			await call("POST", "/session", { name, password, code })
		).json()) as Session;
		remember(who);
		return who;
	},
	signOut: () => remove("/session"),
	changePassword: (current: string, fresh: string) =>
		call("PUT", "/session/password", { current, new: fresh }),
};

/** The own second factor. */
export const totp = {
	begin: async () => (await call("POST", "/session/totp")).json() as Promise<TotpSecret>,
	/** Answers with the recovery codes. */
	async confirm(password: string, code: string): Promise<string[]> {
		const done = await call("PUT", "/session/totp", { password, code });
		return ((await done.json()) as Schemas["RecoveryCodes"]).recovery_codes;
	},
	async renewRecoveryCodes(password: string, code: string): Promise<string[]> {
		const done = await call("POST", "/session/totp/recovery-codes", { password, code });
		return ((await done.json()) as Schemas["RecoveryCodes"]).recovery_codes;
	},
	end: (password: string, code: string) => call("DELETE", "/session/totp", { password, code }),
};

export const tokens = {
	list: () => read<Schemas["TokenList"]>("/tokens"),
	create: async (body: NewToken) =>
		(await call("POST", "/tokens", body)).json() as Promise<CreatedToken>,
	remove: (id: number) => remove(`/tokens/${id}`),
};

export type DkimKeys = Schemas["DkimKeys"];
export type DkimKey = Schemas["DkimKey"];
export type DkimRecord = DkimKey["records"][number];

/** Keys that sign a domain's mail. */
const dkimPath = (domain: string, more = "") => `/domains/${part(domain)}/dkim${more}`;
async function dkimPost(domain: string, more: string): Promise<DkimKeys> {
	return (await call("POST", dkimPath(domain, more), {})).json() as Promise<DkimKeys>;
}

export const dkim = {
	get: (domain: string) => read<DkimKeys>(dkimPath(domain)),
	check: (domain: string) => read<DkimKeys>(dkimPath(domain, "/check")),
	create: (domain: string) => dkimPost(domain, ""),
	use: (domain: string) => dkimPost(domain, "/use"),
	rotate: (domain: string) => dkimPost(domain, "/rotate"),
	/** Whatever it is needed for: that was asked before. */
	remove: (domain: string, selector: string) =>
		remove(dkimPath(domain, `/${part(selector)}?anyway=true`)),
};

export type Kept = Schemas["Deleted"];

/** Who was deleted and can be had back. */
export const kept = {
	list: (filters: NonNullable<operations["listDeleted"]["parameters"]["query"]>) =>
		read<Schemas["DeletedList"]>(`/kept${query(filters)}`),
	/** AS another address, or with the one he had. */
	restore: (id: number, as?: string) => call("POST", `/kept/${id}/restore`, as ? { address: as } : {}),
	erase: (id: number) => remove(`/kept/${id}`),
};

export const domains = {
	...things<Domain, DomainChange>("/domains", "name"),
	list: (search = "", cursor: string | null = null, limit = 50) =>
		read<Schemas["DomainList"]>(`/domains${query({ search, cursor, limit })}`),
	/** Name servers are asked, for ten seconds at most. */
	dns: (name: string) => read<Published>(`/domains/${encodeURIComponent(name)}/dns`),
};

export const entries = {
	list: (filters: EntryFilters) => read<EntryList>(`/entries${query(filters)}`),
};

export const users = {
	...things<User, UserChange>("/users", "address"),
	bulk: async (body: BulkChange) =>
		(await call("POST", "/users/bulk", body)).json() as Promise<Job>,
	tryBulk: async (body: BulkChange) =>
		(await call("POST", "/users/bulk?preview=true", body)).json() as Promise<BulkPreview>,
};

export const jobs = {
	list: (filters: NonNullable<operations["listJobs"]["parameters"]["query"]>) =>
		read<Schemas["JobList"]>(`/jobs${query(filters)}`),
	get: (id: number) => read<Job>(`/jobs/${id}`),
	/** All of them, or the first AT MOST. */
	async refusals(id: number, atMost = Infinity): Promise<Refusal[]> {
		const all: Refusal[] = [];
		let cursor: string | null = null;
		do {
			const page: Schemas["RefusalList"] = await read(
				`/jobs/${id}/refusals${query({ cursor, limit: 500 })}`,
			);
			all.push(...page.items);
			cursor = page.next_cursor;
		} while (cursor && all.length < atMost);
		return all;
	},
	undo: async (id: number) => (await call("POST", `/jobs/${id}/undo`)).json() as Promise<Job>,
	cancel: async (id: number) => (await call("POST", `/jobs/${id}/cancel`)).json() as Promise<Job>,
};

export const groups = things<Group, GroupChange>("/groups", "address");
export const shared = things<Shared, SharedChange>("/shared", "address");

export const systems = {
	...things<System, SystemChange>("/systems", "name"),
	list: () => read<Schemas["SystemList"]>("/systems"),
};

export const filters = {
	...things<Filter, FilterChange>("/filters", "name"),
	list: () => read<Schemas["FilterList"]>("/filters"),
};

export const administrators = {
	...things<Administrator, AdministratorChange>("/administrators", "name"),
	list: () => read<Schemas["AdministratorList"]>("/administrators"),
};

export const queue = {
	list: (filters: QueueFilters) => read<Schemas["QueueList"]>(`/queue${query(filters)}`),
	/** How many messages match. */
	async count(filters: QueueFilters): Promise<number> {
		let n = 0;
		let cursor: string | undefined;
		do {
			const page: Schemas["QueueList"] = await queue.list({ ...filters, cursor, limit: 500 });
			n += page.items.length;
			cursor = page.next_cursor ?? undefined;
		} while (cursor);
		return n;
	},
	get: (id: string) => read<QueueMessage>(`/queue/${part(id)}`),
	order: async (body: QueueOrder) =>
		(await call("POST", "/queue/orders", body)).json() as Promise<
			Schemas["QueueOrderDone"]
		>,
};

/** AS may also be "server:IP": whoever calls from there. */
export const route = (address: string, as: string) => {
	const from = as.startsWith("server:") ? as.slice("server:".length) : null;
	return read<Route>(`/route${query({ address, as: from === null ? as : null, from })}`);
};

export const overview = (domain: string | null) =>
	read<Overview>(`/overview${query({ domain })}`);

/** The stream of what changes (events.ts). */
export const events = (topics: readonly string[], domain: string | null) =>
	new EventSource(`/api/v1/events${query({ topics: topics.join(","), domain })}`);

export const changes = (filters: ChangeFilters) =>
	read<Schemas["ChangeList"]>(`/changes${query(filters)}`);

export const undoChange = (id: number) => call("POST", `/changes/${id}/undo`);

export const testRelay = async (test: Schemas["RelayTest"]) =>
	(await call("POST", "/relay-test", test)).json() as Promise<RelayTestReport>;
