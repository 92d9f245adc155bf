import { Drawer } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import mark from "../mark.svg";
import { Icon } from "../parts/icons";
import { useWho } from "../session";
import { useWords } from "../words";
import { Account } from "./Account";
import { Banner } from "./Banner";
import { DomainSelector } from "./DomainSelector";
import { JobSign } from "./JobSign";
import { LiveSign } from "./LiveSign";
import { Menu } from "./Menu";
import { Search } from "./Search";
import { Switches } from "./Switches";

/** The tabs of a screen are one place, and so are a question and its answer. */
const tab = /\/(general|mail|maintenance|password|second-factor|tokens)$/;
const screenOf = (location: string) => location.replace(tab, "").replace(/^\/route\/.*/, "/route");

function SignOut({ className = "bar-button" }: { className?: string }) {
	const { say } = useWords();
	const { signOut } = useWho();
	return (
		<button type="button" className={className} onClick={signOut}>
			<Icon name="leave" />
			{say("signOut")}
		</button>
	);
}

export function Frame({ children }: { children: ReactNode }) {
	const { say } = useWords();
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
				<span className="wide-only bar-group">
					<Switches />
					<Account />
					<SignOut />
				</span>
			</header>
			<Drawer
				opened={menuOpen}
				onClose={() => setMenuOpen(false)}
				size={290}
				title={say("menu")}
				closeButtonProps={{ "aria-label": say("closeMenu") }}
			>
				<Menu onGo={() => setMenuOpen(false)} />
				<div className="drawer-foot">
					<Account className="menu-link" onGo={() => setMenuOpen(false)} />
					<Switches className="menu-link" />
					<SignOut className="menu-link" />
				</div>
			</Drawer>
			<div className="frame">
				<div className="side">
					<div className="side-sticky">
						<Menu />
					</div>
				</div>
				<main className="content" ref={content} tabIndex={-1}>
					<Banner />
					{children}
				</main>
			</div>
		</>
	);
}
