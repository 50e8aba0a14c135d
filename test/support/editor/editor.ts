// One VS Code window under a test's hands: what a user does with it, and what a user sees.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core';
import { poll } from './poll';
import { QuickInput } from './quickInput';
import type { RunningProcess } from './processes';
import type { EditorServer } from './server';
import { themeClasses, themes, type ThemeName } from './themes';
import { Notifications } from './notifications';
import { StatusBar } from './statusBar';

const screenshots = path.resolve(import.meta.dirname, '../../.artifacts/screenshots');
/** A window on a busy machine needs this long to start, in ms. */
const startLimit = 90_000;

export interface EditorParts {
  readonly server: EditorServer;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly extensionId: string | null;
  readonly theme: ThemeName;
  readonly url: string;
  readonly onDisposed: () => void;
}

export class Editor {
  readonly server: EditorServer;
  readonly #console: string[] = [];
  #page: Page | null = null;
  /** Has the focus after blur(). */
  #otherPage: Page | null = null;
  #theme: ThemeName;

  constructor(private readonly parts: EditorParts) {
    this.server = parts.server;
    this.#theme = parts.theme;
  }

  /** The browser's page. @throws Error while the window is closed */
  get page(): Page {
    if (this.#page === null) throw new Error('the window is closed');
    return this.#page;
  }

  get statusBar(): StatusBar {
    return new StatusBar(this.page);
  }

  get notifications(): Notifications {
    return new Notifications(this.page);
  }

  get quickInput(): QuickInput {
    return new QuickInput(this.page);
  }

  /** Opens the window, and waits for the extension in it. */
  async open(): Promise<void> {
    this.#page = await this.parts.context.newPage();
    this.#page.on('console', (message) => this.#console.push(`${message.type()}: ${message.text()}`));
    const before = this.#activations();
    await this.page.goto(this.parts.url);
    await this.#untilReady(before);
  }

  /** The last lines of the browser's console in this window. */
  consoleText(): string {
    return this.#console.slice(-30).join('\n');
  }

  /** Takes the focus from the window, as if the user went to another program; focus() gives it back. */
  async blur(): Promise<void> {
    // Of several windows only the one in front can lose the focus.
    await this.page.bringToFront();
    await this.#emulateFocus(false);
    this.#otherPage = await this.parts.context.newPage();
    await this.#otherPage.bringToFront();
    // A page that is not on the screen draws no frames to ask in.
    await this.page.waitForFunction('!document.hasFocus()', undefined, { polling: 100 });
  }

  async focus(): Promise<void> {
    await this.#otherPage?.close();
    this.#otherPage = null;
    await this.page.bringToFront();
    await this.#emulateFocus(true);
    await this.page.waitForFunction('document.hasFocus()', undefined, { polling: 100 });
  }

  /** As Developer: Reload Window, with a new extension host. */
  async reload(): Promise<void> {
    const before = this.#activations();
    const loaded = this.page.waitForEvent('domcontentloaded', { timeout: startLimit });
    await this.command('Developer: Reload Window');
    await loaded;
    await this.#untilReady(before);
  }

  /** Closes the window as a user closes it; resolves when its extension host has ended. */
  async closeWindow(): Promise<void> {
    const { length } = this.extensionHosts();
    await this.page.close({ runBeforeUnload: true });
    this.#page = null;
    await poll('the extension host ends', () => this.extensionHosts().length < length, startLimit);
  }

  /** Opens a second window on the same place, in the same browser. It ends with the server, or by closeWindow. */
  async secondWindow(): Promise<Editor> {
    const second = new Editor(this.parts);
    await second.open();
    return second;
  }

  /** As if the browser crashed, with this window's extension host. */
  async killWindow(hostPid: number): Promise<void> {
    process.kill(hostPid, 'SIGKILL');
    await this.page.close({ runBeforeUnload: false });
    this.#page = null;
  }

  /** Opens the window again after closeWindow. */
  async openAgain(): Promise<void> {
    await this.open();
  }

  /** Kills the editor itself, all windows of it, without a word. */
  killEditor(): Promise<void> {
    return this.server.kill();
  }

  /** Running extension hosts of this server. */
  extensionHosts(): RunningProcess[] {
    return this.server.processesOf('--type=extensionHost');
  }

  /** Running processes that the server has started, however indirectly, with these words in their command line. */
  processesOf(words: string): RunningProcess[] {
    return this.server.processesOf(words);
  }

  /**
   * Runs a command by its whole title in the palette, such as `Batch Planner: Plan Batch Size`. A window that has just
   * started does not offer every command yet, and the palette does not follow; an editor that is brought back takes the
   * focus, and the palette closes: it is opened again.
   */
  async command(title: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.quickInput.open('F1');
        await this.quickInput.filter(`>${title}`);
        await this.quickInput.choose(title, 5_000);
        return;
      } catch (error) {
        if (attempt === 5) throw error;
        if (await this.quickInput.isOpen()) await this.quickInput.close();
      }
    }
  }

  /** Titles that the palette offers for these words. */
  async commandTitles(words: string): Promise<string[]> {
    await this.quickInput.open('F1');
    await this.quickInput.filter(`>${words}`);
    const labels = await this.quickInput.labels();
    await this.quickInput.close();
    return labels.filter((label) => label.toLowerCase().includes(words.toLowerCase()));
  }

  /** Opens a file of the workspace by its path in it; resolves when its text has the focus. */
  async openFile(file: string): Promise<void> {
    // Without its ">", the palette looks for files.
    await this.quickInput.open('F1');
    await this.quickInput.filter(file);
    await this.quickInput.choose(path.basename(file));
    const group = '.editor-group-container.active:has(.monaco-editor.focused)';
    await this.page.locator(`${group} .tab.active[data-resource-name="${path.basename(file)}"]`).waitFor();
  }

  /** Names of the open tabs, the active one first. */
  async tabs(): Promise<string[]> {
    const active = await this.page.locator('.tab.active').allTextContents();
    return [...active, ...(await this.page.locator('.tab:not(.active)').allTextContents())].map((text) =>
      text.trim(),
    );
  }

  /** Text of the active editor, as far as it is on the screen. */
  async editorText(): Promise<string> {
    const lines = await this.page.locator('.editor-instance .view-lines .view-line').allTextContents();
    return lines.map((line) => line.replaceAll('\u00a0', ' ')).join('\n');
  }

  /** Texts of the CodeLenses on the screen. */
  async codeLenses(): Promise<string[]> {
    const texts = await this.page.locator('.codelens-decoration').allTextContents();
    return texts.map((text) => text.replaceAll('\u00a0', ' ').trim()).filter((text) => text !== '');
  }

  /**
   * The product's page: the inner frame of the webview whose document has the page's root.
   * @throws Error where none is shown within the time
   */
  async pageFrame(withinMs = 30_000): Promise<Frame> {
    return poll(
      'the page is shown',
      async () => {
        for (const frame of this.page.frames()) {
          if (frame.isDetached() || !frame.url().includes('fake.html')) continue;
          if ((await frame.locator('main#batch-planner > *').count()) > 0) return frame;
        }
        return null;
      },
      withinMs,
    );
  }

  /** The problems view's lines: files and messages. */
  async problems(): Promise<string[]> {
    await this.command('Problems: Focus on Problems View');
    const rows = this.page.locator('.markers-panel .monaco-list-row');
    return (await rows.allTextContents()).map((text) => text.trim());
  }

  /** What the terminal shows, as far as it is on the screen. */
  async terminalText(): Promise<string> {
    const rows = await this.page.locator('.terminal-wrapper.active .xterm-rows > div').allTextContents();
    return rows
      .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** Changes settings while the window runs; undefined takes one away. */
  setSettings(changes: Readonly<Record<string, unknown>>): void {
    this.server.addMachineSettings(changes);
  }

  async setTheme(theme: ThemeName): Promise<void> {
    this.setSettings({ 'workbench.colorTheme': themes[theme] });
    await this.page.locator(`.monaco-workbench.${themeClasses[theme]}`).waitFor();
    this.#theme = theme;
  }

  /** Keeps a picture of the window among the test's artefacts; resolves to its path. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `editor-${name}-${this.#theme}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** Ends the browser and the server with everything that they started. */
  async dispose(): Promise<void> {
    this.parts.onDisposed();
    await this.parts.browser.close();
    await this.server.dispose();
  }

  /** Playwright lets every page believe that it has the focus. */
  async #emulateFocus(enabled: boolean): Promise<void> {
    const session = await this.parts.context.newCDPSession(this.page);
    await session.send('Emulation.setFocusEmulationEnabled', { enabled });
    await session.detach();
  }

  /** How often the extension was activated so far. */
  #activations(): number {
    const { extensionId } = this.parts;
    if (extensionId === null) return 0;
    return this.server.extensionHostLog().split(`_doActivateExtension ${extensionId},`).length - 1;
  }

  async #untilReady(activationsBefore: number): Promise<void> {
    await this.page.locator('.monaco-workbench .statusbar').waitFor({ timeout: startLimit });
    await this.page.locator('.monaco-workbench .part.sidebar').waitFor({ timeout: startLimit });
    if (this.parts.extensionId === null) return;
    await poll('the extension is active', () => this.#activations() > activationsBefore, startLimit);
  }
}
