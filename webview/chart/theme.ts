// The editor's colours and fonts as a canvas needs them: read from the computed style, read again when the theme changes.

/** What a chart takes from the editor's theme. */
export interface ChartTheme {
  readonly foreground: string;
  /** Axis labels. */
  readonly muted: string;
  readonly grid: string;
  readonly background: string;
  readonly blue: string;
  readonly orange: string;
  readonly green: string;
  readonly purple: string;
  readonly red: string;
  readonly yellow: string;
  /** CSS font of axis labels. */
  readonly font: string;
  readonly isHighContrast: boolean;
  /** Width of a line in CSS pixels. */
  readonly lineWidth: number;
}

/** Names of the colours that series take. */
export type ChartColor = 'blue' | 'orange' | 'green' | 'purple' | 'red' | 'yellow' | 'foreground' | 'muted';

/** Reads the theme that applies to the document now. */
export function readTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
  const { classList } = document.body;
  const isHighContrast =
    classList.contains('vscode-high-contrast') || classList.contains('vscode-high-contrast-light');
  const isLight = classList.contains('vscode-light') || classList.contains('vscode-high-contrast-light');
  const foreground = read('--vscode-foreground', isLight ? '#3b3b3b' : '#cccccc');
  const size = parseFloat(read('--vscode-font-size', '13px')) || 13;
  return {
    foreground,
    muted: isHighContrast ? foreground : read('--vscode-descriptionForeground', foreground),
    grid: isHighContrast ? faded(foreground, 0.35) : faded(foreground, 0.12),
    background: read('--vscode-editor-background', isLight ? '#ffffff' : '#1f1f1f'),
    blue: read('--vscode-charts-blue', isLight ? '#1a85ff' : '#3794ff'),
    orange: read('--vscode-charts-orange', '#d18616'),
    green: read('--vscode-charts-green', isLight ? '#388a34' : '#89d185'),
    purple: read('--vscode-charts-purple', isLight ? '#652d90' : '#b180d7'),
    red: read('--vscode-charts-red', isLight ? '#e51400' : '#f14c4c'),
    yellow: read('--vscode-charts-yellow', isLight ? '#bf8803' : '#cca700'),
    font: `${Math.round(size * 0.85)}px ${read('--vscode-font-family', 'sans-serif')}`,
    isHighContrast,
    lineWidth: isHighContrast ? 2 : 1.5,
  };
}

/** The colour with an opacity from 0 to 1. */
export function faded(color: string, opacity: number): string {
  return `color-mix(in srgb, ${color} ${Math.round(opacity * 100)}%, transparent)`;
}

/** Calls back whenever the editor's theme, font or zoom changed; returns the end of that. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  return () => {
    observer.disconnect();
  };
}
