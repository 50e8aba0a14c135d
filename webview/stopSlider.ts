// A slider over chosen values, which need not lie evenly: the toolkit has none.
import { element, setAttribute } from './dom';

/** A native slider whose positions are the entries of an ascending list. */
export class StopSlider {
  readonly element: HTMLInputElement;
  #stops: readonly number[] = [0];

  /**
   * @param format how a value is read out
   * @param onInput called with the value at each move
   */
  constructor(
    label: string,
    private readonly format: (value: number) => string,
    onInput: (value: number) => void,
  ) {
    this.element = element('input', {
      class: 'slider',
      attributes: { type: 'range', min: '0', step: '1', 'aria-label': label },
    });
    this.element.addEventListener('input', () => {
      const value = this.#stops[Number(this.element.value)];
      if (value === undefined) return;
      this.#describe(value);
      onInput(value);
    });
  }

  /** Shows a value, at the nearest of its positions. */
  show(stops: readonly number[], value: number): void {
    this.#stops = stops;
    setAttribute(this.element, 'max', String(stops.length - 1));
    const position = String(nearest(stops, value));
    if (this.element.value !== position) this.element.value = position;
    this.#describe(value);
  }

  /** Tells the value, and how far along it lies, which the style cannot know. */
  #describe(value: number): void {
    setAttribute(this.element, 'aria-valuetext', this.format(value));
    const share = Number(this.element.value) / Math.max(1, this.#stops.length - 1);
    this.element.style.setProperty('--slider-filled', `${share * 100}%`);
  }
}

function nearest(stops: readonly number[], value: number): number {
  let best = 0;
  for (const [index, stop] of stops.entries()) {
    if (Math.abs(stop - value) < Math.abs((stops[best] ?? Infinity) - value)) best = index;
  }
  return best;
}

/** Whole numbers from 1 to `largest` on a scale that doubles: each up to 16, then eight to an octave; with `extra`. */
export function countStops(largest: number, extra: readonly number[]): number[] {
  const stops = new Set([...extra.filter((value) => value >= 1 && value <= largest), largest]);
  for (let value = 1; value <= Math.min(16, largest); value++) stops.add(value);
  for (let octave = 16; octave < largest; octave *= 2) {
    for (let eighth = 1; eighth <= 8; eighth++) {
      const value = octave + (octave / 8) * eighth;
      if (value <= largest) stops.add(value);
    }
  }
  return [...stops].sort((a, b) => a - b);
}

/** About a hundred round amounts of memory from `smallest` to `largest` bytes; and `extra`. */
export function byteStops(smallest: number, largest: number, extra: readonly number[]): number[] {
  const steps = [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26, 0.1 * 2 ** 30, 2 ** 28, 0.5 * 2 ** 30, 2 ** 30, 2 ** 31];
  const step = steps.find((size) => (largest - smallest) / size <= 100) ?? 2 ** 32;
  const stops = new Set(extra.filter((value) => value >= smallest && value <= largest));
  for (let count = Math.ceil(smallest / step); count * step <= largest; count++)
    stops.add(Math.round(count * step));
  stops.add(largest);
  return [...stops].sort((a, b) => a - b);
}
