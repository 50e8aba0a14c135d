// Runs in the browser before the page's own script: what VS Code gives a page, faked (its interface, its variables).
// `recordPageMessage` is a function of the test's.
globalThis.fakeVsCodePage = ({ theme, variables }) => {
  const stateKey = 'fakeVsCodeState';
  let isTaken = false;
  globalThis.acquireVsCodeApi = () => {
    if (isTaken) throw new Error('An instance of the VS Code API has already been acquired');
    isTaken = true;
    return Object.freeze({
      // As the real one does: what cannot be cloned cannot be sent.
      postMessage: (message) => globalThis.recordPageMessage(structuredClone(message)),
      setState: (state) => {
        sessionStorage.setItem(stateKey, JSON.stringify(state));
        return state;
      },
      getState: () => {
        const kept = sessionStorage.getItem(stateKey);
        return kept === null ? undefined : JSON.parse(kept);
      },
    });
  };

  globalThis.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    globalThis.violations.push(`${event.violatedDirective} refused ${event.blockedURI || 'inline'}`);
  });

  globalThis.setFakeTheme = (name, values) => {
    const root = document.documentElement;
    for (const variable of [...root.style].filter((one) => one.startsWith('--vscode-')))
      root.style.removeProperty(variable);
    for (const [variable, value] of Object.entries(values))
      root.style.setProperty(`--vscode-${variable}`, value);
    document.body.classList.remove(
      'vscode-light',
      'vscode-dark',
      'vscode-high-contrast',
      'vscode-high-contrast-light',
    );
    document.body.classList.add(`vscode-${name}`);
    // The light high contrast is a high contrast too, as in VS Code.
    if (name === 'high-contrast-light') document.body.classList.add('vscode-high-contrast');
    document.body.dataset.vscodeThemeKind = `vscode-${name}`;
  };

  // VS Code's own first style of every page; the editor's background shows through.
  const style = new CSSStyleSheet();
  style.replaceSync(`
    html { background-color: var(--vscode-editor-background); scrollbar-color: var(--vscode-scrollbarSlider-background) transparent; }
    body { overscroll-behavior-x: none; background-color: transparent; color: var(--vscode-editor-foreground);
      font-family: var(--vscode-font-family); font-weight: var(--vscode-font-weight);
      font-size: var(--vscode-font-size); margin: 0; padding: 0 20px; }
    a, a code { color: var(--vscode-textLink-foreground); }
    a:hover { color: var(--vscode-textLink-activeForeground); }
    a:focus, input:focus, select:focus, textarea:focus {
      outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
    code { font-family: var(--monaco-monospace-font); color: var(--vscode-textPreformat-foreground); }`);
  document.adoptedStyleSheets = [style, ...document.adoptedStyleSheets];
  new MutationObserver((_, observer) => {
    if (document.body === null) return;
    observer.disconnect();
    globalThis.setFakeTheme(theme, variables);
  }).observe(document, { childList: true, subtree: true });
};
