// Whether and how the terminal is coloured and redrawn: one place for NO_COLOR, FORCE_COLOR, TERM and pipes.
import { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;

export interface TerminalStyle {
  /** True where a line can be redrawn. */
  readonly isLive: boolean;
  readonly colors: Colors;
  /**
   * Columns that a line may take now (a window may be resized): one less than there are, as a line that fills the last
   * one wraps on some terminals. Infinite in a pipe: a program that reads lines wants all of them.
   */
  columns(): number;
}

/** A stream as far as its looks matter. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Colour only on a terminal and never with NO_COLOR (no-color.org); FORCE_COLOR, unless it is 0 or false, colours a pipe
 * too. A terminal that calls itself dumb is written to line by line.
 */
export function terminalStyle(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): TerminalStyle {
  const isLive = stream.isTTY === true && environment.TERM !== 'dumb';
  return {
    isLive,
    colors: createColors(isColored(isLive, environment)),
    columns: () => (stream.isTTY === true ? Math.max(1, (stream.columns || 80) - 1) : Infinity),
  };
}

function isColored(
  isLive: boolean,
  { NO_COLOR, FORCE_COLOR }: Readonly<Record<string, string | undefined>>,
): boolean {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isLive;
}
