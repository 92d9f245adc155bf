import { Drawer } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import mark from "../mark.svg";
import { Icon } from "../parts/icons";
import { useWho } from "../session";
import { useWords } from "../words";
import { Account } from "./Account";
import { DomainSelector } from "./DomainSelector";
import { JobSign } from "./JobSign";
import { LiveSign } from "./LiveSign";
import { Menu } from "./Menu";
import { Search } from "./Search";
import { Switches } from "./Switches";

/** The tabs of a screen are one place. */
const tab = /\/(general|mail|maintenance|password|second-factor|tokens)$/;
const screenOf = (location: string) => location.replace(tab, "");

export function Frame({ children }: { children: ReactNode }) {
	const { say } = useWords();
	const { signOut } = useWho();
	const [location] = useLocation();
	const [menuOpen, setMenuOpen] = useState(false);
	const content = useRef<HTMLElement>(null);
	const place = useRef(location);

	// A new screen starts at its head, for eyes and for readers.
	useEffect(() => {
		if (place.current === location) return;
		const tabOnly = screenOf(place.current) === screenOf(location);
		place.current = location;
		if (tabOnly) return;
		window.scrollTo(0, 0);
		content.current?.focus({ preventScroll: true });
	}, [location]);

	return (
		<>
			<button type="button" className="skip" onClick={() => content.current?.focus()}>
				{say("skipToContent")}
			</button>
			<header className="bar">
				<button
					type="button"
					className="bar-button only-narrow"
					onClick={() => setMenuOpen(true)}
					aria-label={say("menu")}
					aria-expanded={menuOpen}
				>
					<Icon name="menu" />
				</button>
				<Link href="/" className="brand">
					<img src={mark} alt="" />
					{say("product")}
				</Link>
				<DomainSelector />
				<Search />
				<span className="spacer" />
				<JobSign />
				<LiveSign />
				<Switches />
				<Account />
				<button type="button" className="bar-button" onClick={signOut} aria-label={say("signOut")}>
					<Icon name="leave" />
					<span className="wide-only">{say("signOut")}</span>
				</button>
			</header>
			<Drawer
				opened={menuOpen}
				onClose={() => setMenuOpen(false)}
				size={290}
				title={say("menu")}
				closeButtonProps={{ "aria-label": say("closeMenu") }}
			>
				<Menu onGo={() => setMenuOpen(false)} />
			</Drawer>
			<div className="frame">
				<div className="side">
					<div className="side-sticky">
						<Menu />
					</div>
				</div>
				<main className="content" ref={content} tabIndex={-1}>
					{children}
				</main>
			</div>
		</>
	);
}
