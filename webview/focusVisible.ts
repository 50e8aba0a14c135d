// Stands in for `@microsoft/fast-web-utilities` under the toolkit, which would find out by an inline style, which the page's
// security policy refuses, whether the browser knows `:focus-visible`.
export * from '../node_modules/@microsoft/fast-web-utilities/dist/index.js';

/** Every browser that VS Code runs in knows it. */
export function canUseFocusVisible(): boolean {
  return true;
}
