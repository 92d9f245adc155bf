import { createContext, useContext } from "react";
import type { Session } from "./api";

export interface Who {
	session: Session;
	/** The domain selected in the top bar; null: all domains. */
	domain: string | null;
	setDomain: (name: string | null) => void;
	signOut: () => void;
}

export const WhoContext = createContext<Who | null>(null);

export function useWho(): Who & { isSuper: boolean; mayRoute: boolean } {
	const who = useContext(WhoContext);
	if (!who) throw new Error("nobody is signed in");
	return {
		...who,
		isSuper: who.session.role === "superadmin",
		mayRoute: who.session.role !== "delegate",
	};
}
