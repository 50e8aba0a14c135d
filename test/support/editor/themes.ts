// The four themes in which everything must be readable, by short names.

/** VS Code's identifiers of its own themes. */
export const themes = {
  dark: 'Dark Modern',
  light: 'Light Modern',
  'hc-black': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
} as const;
export type ThemeName = keyof typeof themes;

/** The class that VS Code's page has on its workbench in each. */
export const themeClasses: Readonly<Record<ThemeName, string>> = {
  dark: 'vs-dark',
  light: 'vs',
  'hc-black': 'hc-black',
  'hc-light': 'hc-light',
};
