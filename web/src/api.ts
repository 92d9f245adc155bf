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
export type SystemChange = Schemas["SystemChange"];
export type Administrator = Schemas["Administrator"];
export type AdministratorChange = Schemas["AdministratorChange"];
export type Role = Schemas["Role"];
export type Route = Schemas["Route"];
export type QueueEntry = Schemas["QueueEntry"];
export type QueueMessage = Schemas["QueueMessage"];
export type QueueOrder = Schemas["QueueOrder"];
export type Overview = Schemas["Overview"];
export type RelayTestReport = Schemas["RelayTestReport"];
export type BulkChange = Schemas["BulkChange"];
export type BulkReport = Schemas["BulkReport"];
export type Change = Schemas["Change"];
export type EntryFilters = NonNullable<operations["listEntries"]["parameters"]["query"]>;

export interface Versioned<T> {
	value: T;
	version: string | null;
}

/** What the API said instead of doing it; status 0: it did not answer. */
export class Problem extends Error {
	constructor(
		readonly status: number,
		readonly kind: string,
		readonly detail: string,
		readonly field: string | null,
		readonly retryAfter: number | null = null,
	) {
		super(detail);
	}
}

let csrfToken: string | null = null;

// A page that is left open must not keep its session alive: what is asked a
// minute after the last touch is said to be nobody's doing.
const attentionMs = 60_000;
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "wheel"])
	window.addEventListener(sign, () => (touched = Date.now()), { capture: true, passive: true });

async function problemOf(response: Response): Promise<Problem> {
	const after = Number(response.headers.get("Retry-After")) || null;
	try {
		const said = (await response.json()) as Schemas["Problem"];
		return new Problem(
			response.status,
			said.type.replace("urn:splitmail:problem:", ""),
			said.detail,
			said.field ?? null,
			after,
		);
	} catch {
		return new Problem(response.status, "unknown", response.statusText, null, after);
	}
}

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
		response = await fetch(`/api/v1${path}`, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: "same-origin",
			cache: "no-store",
		});
	} catch {
		throw new Problem(0, "unreachable", "", null);
	}
	if (!response.ok) throw await problemOf(response);
	return response;
}

async function read<T>(path: string): Promise<T> {
	return (await call("GET", path)).json() as Promise<T>;
}

async function readVersioned<T>(path: string): Promise<Versioned<T>> {
	const response = await call("GET", path);
	return { value: (await response.json()) as T, version: response.headers.get("ETag") };
}

async function change<T>(
	method: "PATCH" | "PUT",
	path: string,
	body: unknown,
	version: string | null,
): Promise<T> {
	const headers: Record<string, string> = version ? { "If-Match": version } : {};
	return (await call(method, path, body, headers)).json() as Promise<T>;
}

async function create<T>(path: string, body: unknown): Promise<T> {
	return (await call("PUT", path, body, { "If-None-Match": "*" })).json() as Promise<T>;
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

/** The same five calls for everything that has a name of its own. */
function things<T, C>(folder: string) {
	return {
		get: (name: string) => readVersioned<T>(`${folder}/${part(name)}`),
		create: (name: string, body: C) => create<T>(`${folder}/${part(name)}`, body),
		change: (name: string, body: C, version: string | null) =>
			change<T>("PATCH", `${folder}/${part(name)}`, body, version),
		remove: (name: string) => remove(`${folder}/${part(name)}`),
	};
}

export const session = {
	async get(): Promise<Session | null> {
		try {
			const who = await read<Session>("/session");
			csrfToken = who.csrf_token;
			return who;
		} catch (e) {
			if (e instanceof Problem && e.status === 401) return null;
			throw e;
		}
	},
	async signIn(name: string, password: string): Promise<Session> {
		const who = (await (
			await call("POST", "/session", { name, password })
		).json()) as Session;
		csrfToken = who.csrf_token;
		return who;
	},
	signOut: () => remove("/session"),
	changePassword: (current: string, fresh: string) =>
		call("PUT", "/session/password", { current, new: fresh }),
};

export const domains = {
	...things<Domain, DomainChange>("/domains"),
	list: (search = "", cursor: string | null = null, limit = 50) =>
		read<Schemas["DomainList"]>(`/domains${query({ search, cursor, limit })}`),
};

export const entries = {
	list: (filters: EntryFilters) => read<EntryList>(`/entries${query(filters)}`),
};

export const users = {
	...things<User, UserChange>("/users"),
	bulk: async (body: BulkChange) =>
		(await call("POST", "/users/bulk", body)).json() as Promise<BulkReport>,
};

export const groups = things<Group, GroupChange>("/groups");
export const shared = things<Shared, SharedChange>("/shared");

export const systems = {
	...things<System, SystemChange>("/systems"),
	list: () => read<Schemas["SystemList"]>("/systems"),
};

export const administrators = {
	...things<Administrator, AdministratorChange>("/administrators"),
	list: () => read<Schemas["AdministratorList"]>("/administrators"),
};

export const queue = {
	list: (filters: NonNullable<operations["listQueue"]["parameters"]["query"]>) =>
		read<Schemas["QueueList"]>(`/queue${query(filters)}`),
	get: (id: string) => read<QueueMessage>(`/queue/${part(id)}`),
	order: async (body: QueueOrder) =>
		(await call("POST", "/queue/orders", body)).json() as Promise<
			Schemas["QueueOrderDone"]
		>,
};

export const route = (address: string, as: string) =>
	read<Route>(`/route${query({ address, as })}`);

export const overview = (domain: string | null) =>
	read<Overview>(`/overview${query({ domain })}`);

/** The stream of what changes (events.ts). */
export const events = (topics: readonly string[], domain: string | null) =>
	new EventSource(`/api/v1/events${query({ topics: topics.join(","), domain })}`);

export const changes = (cursor: string | null, subject = "") =>
	read<Schemas["ChangeList"]>(`/changes${query({ cursor, subject })}`);

export const testRelay = async (hosts: string, domain?: string) =>
	(await call("POST", "/relay-test", { hosts, domain })).json() as Promise<RelayTestReport>;
