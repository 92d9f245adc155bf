import type { ReactNode } from "react";

const shapes = {
	overview: <><path d="M4 20V10M10 20V4M16 20v-7M22 20H2" /></>,
	directory: <><circle cx="9" cy="8" r="3.4" /><path d="M3 19c.6-3.4 3-5 6-5s5.400 1.600 6 5M15.500 5a3.300 3.300 0 0 1 0 6.200M18 14.300c1.700.8 2.700 2.400 3 4.700" /></>,
	user: <><circle cx="12" cy="8" r="3.800" /><path d="M5 20c.7-4 3.500-6 7-6s6.300 2 7 6" /></>,
	group: <><circle cx="8" cy="9" r="3" /><circle cx="16" cy="9" r="3" /><path d="M2.500 19c.5-3 2.600-4.500 5.500-4.500s5 1.500 5.500 4.500M15.500 14.600c3-.2 5.400 1.300 6 4.400" /></>,
	shared: <><path d="M3 7h18v12H3zM3 7l9 7 9-7" /></>,
	domain: <><circle cx="12" cy="12" r="9" /><path d="M3 12h18M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9S9 6 12 3z" /></>,
	plus: <><path d="M12 5v14M5 12h14" /></>,
	system: <><rect x="3" y="4" width="18" height="7" rx="2" /><rect x="3" y="13" width="18" height="7" rx="2" /><path d="M7 7.500h.01M7 16.500h.01" /></>,
	filter: <><path d="M4 5h16l-6 8v6l-4-2v-4z" /></>,
	key: <><circle cx="8" cy="15" r="4" /><path d="M11 12l8-8M16 7l3 3" /></>,
	queue: <><path d="M4 6h16M4 12h16M4 18h10" /></>,
	route: <><circle cx="5" cy="12" r="2" /><circle cx="19" cy="6" r="2" /><circle cx="19" cy="18" r="2" /><path d="M7 12c6 0 4-6 10-6M7 12c6 0 4 6 10 6" /></>,
	changes: <><circle cx="12" cy="12" r="9" /><path d="M12 7v5l3.500 2" /></>,
	search: <><circle cx="11" cy="11" r="6.500" /><path d="M16 16l5 5" /></>,
	menu: <><path d="M4 7h16M4 12h16M4 17h16" /></>,
	sun: <><circle cx="12" cy="12" r="4" /><path d="M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2" /></>,
	moon: <><path d="M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z" /></>,
	book: <><path d="M12 6c-2-1.500-5-2-8-2v14c3 0 6 .500 8 2 2-1.500 5-2 8-2V4c-3 0-6 .500-8 2zM12 6v14" /></>,
	leave: <><path d="M14 4H6v16h8M10 12h11M17 8l4 4-4 4" /></>,
	trash: <><path d="M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13" /></>,
	cross: <><path d="M6 6l12 12M18 6L6 18" /></>,
	up: <><path d="M12 19V5M6 11l6-6 6 6" /></>,
	down: <><path d="M12 5v14M6 13l6 6 6-6" /></>,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

/** Never the only word for something: readers do not hear it. */
export function Icon({ name, size = 19 }: { name: IconName; size?: number }) {
	return (
		<svg
			width={size}
			height={size}
			viewBox="0 0 24 24"
			fill="none"
			stroke="currentColor"
			strokeWidth="1.8"
			strokeLinecap="round"
			strokeLinejoin="round"
			aria-hidden="true"
		>
			{shapes[name]}
		</svg>
	);
}
