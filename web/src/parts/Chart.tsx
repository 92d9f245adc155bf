import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useWords } from "../words";

export interface Line {
	label: string;
	/** A colour of style.css. */
	colour: string;
	dash?: number[];
	fill?: boolean;
	values: readonly (number | null)[];
}

interface ChartProps {
	/** Of the last point. */
	end: string | null;
	stepSeconds: number;
	lines: readonly Line[];
	/** The same in words. */
	text: string;
}

const leastSeconds = 300;

/** Lines over time.  What is not known leaves a gap. */
export function Chart({ end, stepSeconds, lines, text }: ChartProps) {
	const { language, hour } = useWords();
	const scheme = useComputedColorScheme("light");
	const { ref, width } = useElementSize<HTMLDivElement>();
	const chart = useRef<uPlot | null>(null);

	const last = end ? Date.parse(end) / 1000 : 0;
	const data = useMemo<uPlot.AlignedData>(() => {
		const n = lines[0]?.values.length ?? 0;
		const times = Array.from({ length: n }, (_, i) => last - (n - 1 - i) * stepSeconds);
		return [times, ...lines.map((line) => [...line.values])];
	}, [lines, last, stepSeconds]);
	const latest = useRef(data);
	latest.current = data;

	const looks = JSON.stringify(lines.map(({ colour, dash, fill }) => ({ colour, dash, fill })));

	useEffect(() => chart.current?.setData(data), [data]);

	useEffect(() => {
		if (!ref.current || width === 0) return;
		const style = getComputedStyle(document.documentElement);
		const colour = (name: string) => style.getPropertyValue(name).trim();
		const grid = { stroke: colour("--line"), width: 1 };
		const words = colour("--mantine-color-dimmed");
		const numbers = new Intl.NumberFormat(language);
		const made = new uPlot(
			{
				width,
				height: 180,
				legend: { show: false },
				cursor: { show: false },
				scales: {
					x: { range: (_, min, max) => [Math.min(min, max - leastSeconds), max] },
					y: { range: (_, __, max) => [0, Math.max(5, max * 1.15)] },
				},
				axes: [
					{
						stroke: words,
						grid,
						ticks: grid,
						space: 90,
						size: 34,
						values: (_, at) => at.map((s) => hour(new Date(s * 1000))),
					},
					{
						stroke: words,
						grid,
						ticks: grid,
						incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000, 100000],
						values: (_, at) => at.map((n) => numbers.format(n)),
					},
				],
				series: [
					{},
					...(JSON.parse(looks) as Line[]).map((line) => ({
						stroke: colour(line.colour),
						fill: line.fill ? `${colour(line.colour)}33` : undefined,
						dash: line.dash,
						width: 2,
						points: { show: false },
					})),
				],
			},
			latest.current,
			ref.current,
		);
		chart.current = made;
		return () => {
			chart.current = null;
			made.destroy();
		};
	}, [width, language, hour, scheme, looks, ref]);

	return <div ref={ref} className="chart" role="img" aria-label={text} />;
}
