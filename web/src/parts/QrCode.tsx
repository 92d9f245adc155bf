import { encode } from "uqr";

/** Dark on light whatever the theme, as phones expect it. */
export function QrCode({ text, label }: { text: string; label: string }) {
	const { data, size } = encode(text, { ecc: "M", border: 4 });
	const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
	return (
		<svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
			<rect className="light" width={size} height={size} />
			<path className="dark" d={dark.join("")} />
		</svg>
	);
}
