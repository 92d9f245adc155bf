import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useWords } from "../words";

const most = 600;
// Since the pages were opened, whatever screen was shown meanwhile.
const times: number[] = [];
const counts: number[] = [];

/** Recipients that wait, over time; the figure beside it says the same. */
export function WaitingChart({ now }: { now: number }) {
	const { say, language } = useWords();
	const { ref, width } = useElementSize<HTMLDivElement>();
	const chart = useRef<uPlot | null>(null);

	useEffect(() => {
		// A line needs two points.
		if (times.length === 0) {
			times.push(Date.now() / 1000 - 60);
			counts.push(now);
		}
		const keep = () => {
			times.push(Date.now() / 1000);
			counts.push(now);
			if (times.length > most) {
				times.shift();
				counts.shift();
			}
			chart.current?.setData([times, counts]);
		};
		keep();
		const timer = setInterval(keep, 3000);
		return () => clearInterval(timer);
	}, [now]);

	useEffect(() => {
		if (!ref.current || width === 0) return;
		const style = getComputedStyle(document.documentElement);
		const line = style.getPropertyValue("--there-fill");
		const words = style.getPropertyValue("--mantine-color-dimmed");
		const grid = { stroke: style.getPropertyValue("--line"), width: 1 };
		const made = new uPlot(
			{
				width,
				height: 180,
				legend: { show: false },
				cursor: { show: false },
				scales: { y: { range: (_, __, max) => [0, Math.max(5, max * 1.15)] } },
				axes: [
					{
						stroke: words,
						grid,
						ticks: grid,
						space: 110,
						values: (_, at) => at.map((s) => new Date(s * 1000).toLocaleTimeString(language)),
					},
					{ stroke: words, grid, ticks: grid, incrs: [1, 2, 5, 10, 20, 50, 100, 1000, 10000] },
				],
				series: [{}, { stroke: line, fill: `${line.trim()}33`, width: 2, points: { show: false } }],
			},
			[times, counts],
			ref.current,
		);
		chart.current = made;
		return () => {
			chart.current = null;
			made.destroy();
		};
	}, [width, language, ref]);

	return (
		<figure style={{ margin: "18px 0 0" }}>
			<div ref={ref} className="chart" role="img" aria-label={`${say("waitingOverTime")}: ${now}`} />
			<figcaption className="hint small">{say("waitingOverTime")}</figcaption>
		</figure>
	);
}
