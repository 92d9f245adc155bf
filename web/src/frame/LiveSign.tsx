import { useEvents } from "../events";
import { useWords } from "../words";

/** Are the figures pushed as they change? */
export function LiveSign() {
	const { say } = useWords();
	const live = useEvents();
	return (
		<span className={`live ${live}`} role="status" title={say(`live_hint_${live}`)}>
			<i aria-hidden="true" />
			<span className="live-word">{say(`live_${live}`)}</span>
		</span>
	);
}
