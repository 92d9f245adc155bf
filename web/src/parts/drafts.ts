/*
 * What is typed and not saved yet, kept in memory while the pages are open:
 * another tab or page, and back, loses nothing.  The browser asks before all
 * of it is lost.
 *
 * A draft is of one form about one thing.  It is kept with what was read when
 * typing began, whose version goes with the change.
 */
import { useSyncExternalStore } from "react";
import type { Versioned } from "../api";

/** Under which a thing is read: what it is, and its name. */
export type Thing = readonly [kind: string, name: string];

export interface Draft<T, D> {
	base: Versioned<T>;
	typed: D;
	draftOf: (value: T) => D;
}
// Each form puts in, and gets out, its own type.
type AnyDraft = Draft<unknown, object>;

const drafts = new Map<string, AnyDraft>();
const listeners = new Set<() => void>();
/** Those that are being sent: what is stored will be something else. */
const underWay = new Set<string>();

const prefixOf = (thing: Thing) => `${JSON.stringify(thing)} `;
const idOf = (thing: Thing, form: string) => prefixOf(thing) + form;
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

window.addEventListener("beforeunload", (e) => {
	if (drafts.size > 0) e.preventDefault();
});

function announce() {
	for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
	listeners.add(listener);
	return () => void listeners.delete(listener);
}

/** Nothing typed that differs from what is stored is no draft.  While it is sent
 *  what was stored before is typed as well as anything. */
function put(id: string, draft: AnyDraft) {
	if (!underWay.has(id) && same(draft.typed, draft.draftOf(draft.base.value))) drafts.delete(id);
	else drafts.set(id, draft);
}

/** Nothing: nothing is typed. */
export function useDraft<T, D extends object>(thing: Thing, form: string) {
	const kept = useSyncExternalStore(subscribe, () => drafts.get(idOf(thing, form)));
	return kept as unknown as Draft<T, D> | undefined;
}

/**
 * What is typed in one form about THING, or into one that makes something: over
 * READ, which a refresh behind the form does not change once typing has begun.
 */
export function useTypedOver<T, D extends object>(
	thing: Thing,
	form: string,
	read: Versioned<T>,
	draftOf: (value: T) => D,
) {
	const kept = useDraft<T, D>(thing, form);
	const base = kept?.base ?? read;
	const draft = kept?.typed ?? draftOf(base.value);
	return {
		base,
		draft,
		dirty: kept !== undefined,
		type: (typed: Partial<D>) => keepTyped(thing, form, { base, typed: draft, draftOf }, typed),
		forget: () => forgetDrafts(thing, form),
	};
}

/** Attributes of a tab: does something in its form wait to be saved? */
export function useUnsaved(thing: Thing, words: string): (form: string) => { title?: string; "data-unsaved"?: true } {
	const forms = useSyncExternalStore(subscribe, () =>
		[...drafts.keys()].filter((id) => id.startsWith(prefixOf(thing))).join("\n"),
	);
	return (form) => (forms.split("\n").includes(idOf(thing, form)) ? { title: words, "data-unsaved": true } : {});
}

/** Does something in any form about THING wait to be saved? */
export function useAnyUnsaved(thing: Thing): boolean {
	return useSyncExternalStore(subscribe, () => [...drafts.keys()].some((id) => id.startsWith(prefixOf(thing))));
}

/** Into what is typed already, or else into DRAFT. */
export function keepTyped<T, D extends object>(
	thing: Thing,
	form: string,
	draft: Draft<T, D>,
	typed: Partial<D>,
) {
	const id = idOf(thing, form);
	const kept = drafts.get(id) ?? (draft as unknown as AnyDraft);
	put(id, { ...kept, typed: { ...kept.typed, ...typed } });
	announce();
}

/** NOW is kept where it differs from BEFORE. */
function retyped(before: object, now: object, fresh: object): object {
	const typed = Object.entries(now).filter(
		([field, value]) => !same(value, before[field as keyof object]),
	);
	return { ...fresh, ...Object.fromEntries(typed) };
}

/** DONE sends what is typed in FORM about THING. */
export async function whileSent(thing: Thing, form: string, done: () => Promise<void>) {
	const id = idOf(thing, form);
	underWay.add(id);
	try {
		await done();
	} finally {
		underWay.delete(id);
		const left = drafts.get(id);
		if (left) put(id, left);
		announce();
	}
}

/**
 * One's own change made FRESH of VERSION.  What was typed otherwise, in its
 * other forms or while SENT was under way in FORM, is typed over FRESH now:
 * nobody else was faster.
 */
export function settleDrafts<T>(
	thing: Thing,
	version: string | null,
	fresh: Versioned<T>,
	form?: string,
	sent?: object,
) {
	for (const [id, { base, typed, draftOf }] of [...drafts]) {
		if (!id.startsWith(prefixOf(thing)) || base.version !== version) continue;
		const before = sent && form !== undefined && id === idOf(thing, form) ? sent : draftOf(base.value);
		put(id, { base: fresh, typed: retyped(before, typed, draftOf(fresh.value)), draftOf });
	}
	announce();
}

/** Of one form, of everything about THING, or all there are. */
export function forgetDrafts(thing?: Thing, form?: string) {
	for (const id of [...drafts.keys()])
		if (!thing || (form === undefined ? id.startsWith(prefixOf(thing)) : id === idOf(thing, form)))
			drafts.delete(id);
	announce();
}
