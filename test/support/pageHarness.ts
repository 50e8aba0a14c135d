// Opens the built page in a real Chromium as VS Code would: the same HTML and security policy, and the extension's answers.
import axe from 'axe-core';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { pageHtml } from '../../src/editor/pageHtml';
import {
  pageMessage,
  type HostMessage,
  type PageMessage,
  type PageView,
  type RunHistoryPart,
} from '../../src/protocol/page';
import type { Lane } from './lanes';
import { themeVariables, type ThemeName } from './pageThemes';

const root = path.resolve(import.meta.dirname, '../..');
const fakeVsCode = readFileSync(path.join(import.meta.dirname, 'fakeVsCodePage.js'), 'utf8');
/** Nothing leaves the browser: each request to it is answered from dist/. */
const origin = 'https://page.test';
const contentTypes: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
  '.map': 'application/json',
};

/** Chromium's executable, or why there is none. */
export function chromiumLane(): Lane {
  const place = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  return existsSync(place) ? { place } : { missing: `no Chromium at ${place} (CHROMIUM_PATH names another)` };
}

/** @throws where there is no Chromium: look at `chromiumLane` first. */
export async function launchChromium(): Promise<Browser> {
  const { place, missing } = chromiumLane();
  if (place === undefined) throw new Error(missing);
  return chromium.launch({
    executablePath: place,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface PageOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  /** Translations in `hello`. */
  readonly texts?: Readonly<Record<string, string>>;
  /** What the page shows once it said that it is ready. */
  readonly view?: PageView;
  readonly history?: readonly RunHistoryPart[];
}

/** One page and the extension's end of it. */
export interface PageSession {
  readonly page: Page;
  /** What the page sent, in order, each found valid. */
  readonly sent: PageMessage[];
  /** What the page did wrong: refused by the policy, thrown, written to the console as an error, an invalid message. */
  problems(): Promise<string[]>;
  send(message: HostMessage): Promise<void>;
  /** Shows another view, which a reloaded page gets too. */
  show(view: PageView): Promise<void>;
  addHistory(part: RunHistoryPart): Promise<void>;
  setTheme(theme: ThemeName): Promise<void>;
  /** Loads the page anew, as VS Code does when a hidden page is shown again: its kept state stays. */
  reload(): Promise<void>;
  /** Serious and critical findings of axe-core, one line each. */
  accessibilityProblems(): Promise<string[]>;
  /** Elements that reach beyond the page's width, one line each. */
  overflowing(): Promise<string[]>;
  /** Writes test/.artifacts/screenshots/<name>.png, of the whole page. */
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function openPage(browser: Browser, options: PageOptions = {}): Promise<PageSession> {
  const { theme = 'dark', width = 1000, height = 900, texts = {} } = options;
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const sent: PageMessage[] = [];
  const problems: string[] = [];
  let view = options.view;
  const history = [...(options.history ?? [])];

  page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  await page.route(`${origin}/**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') {
      const html = pageHtml(
        { cspSource: origin, scriptUri: `${origin}/page.js`, styleUri: `${origin}/page.css` },
        '/work/train.js',
        'en',
      );
      return route.fulfill({ contentType: 'text/html', body: html });
    }
    const file = path.join(root, 'dist', name);
    const contentType = contentTypes[path.extname(name)];
    if (contentType === undefined || !existsSync(file)) return route.fulfill({ status: 404 });
    return route.fulfill({ contentType, body: readFileSync(file) });
  });

  const send = async (message: HostMessage): Promise<void> => {
    await page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
  };
  const answerReady = async (): Promise<void> => {
    await send({ type: 'hello', texts, locale: 'en' });
    if (view !== undefined) await send({ type: 'view', view });
    for (const part of history) await send({ type: 'history', part });
  };
  await page.exposeFunction('recordPageMessage', async (message: unknown) => {
    const read = pageMessage.safeParse(message);
    if (!read.success) {
      problems.push(`invalid message ${JSON.stringify(message)}`);
      return;
    }
    sent.push(read.data);
    if (read.data.type === 'ready') await answerReady();
  });
  await page.addInitScript(
    `${fakeVsCode}fakeVsCodePage(${JSON.stringify({ theme, variables: themeVariables[theme] })});`,
  );

  const load = async (navigate: () => Promise<unknown>): Promise<void> => {
    const answered = sent.filter(({ type }) => type === 'ready').length;
    await navigate();
    const isReady = (): boolean => sent.filter(({ type }) => type === 'ready').length > answered;
    await until(isReady, () => `the page to be ready: ${problems.join('; ')}`);
    await settled();
  };
  /** Until messages that were posted are taken and what they change is painted. */
  const settled = async (): Promise<void> => {
    await page.evaluate(
      'new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done))))',
    );
  };
  await load(() => page.goto(`${origin}/`));

  return {
    page,
    sent,
    problems: async () => [...problems, ...((await page.evaluate('violations')) as string[])],
    send: async (message) => {
      await send(message);
      await settled();
    },
    show: async (next) => {
      view = next;
      await send({ type: 'view', view });
      await settled();
    },
    addHistory: async (part) => {
      history.push(part);
      await send({ type: 'history', part });
      await settled();
    },
    setTheme: async (name) => {
      await page.evaluate(`setFakeTheme(${JSON.stringify(name)}, ${JSON.stringify(themeVariables[name])})`);
      await settled();
    },
    reload: () => load(() => page.reload()),
    accessibilityProblems: () => accessibilityProblems(page),
    overflowing: async () => (await page.evaluate(findOverflow)) as string[],
    screenshot: async (name) => {
      const folder = path.join(root, 'test/.artifacts/screenshots');
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
    },
    close: () => context.close(),
  };
}

async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > limit) throw new Error(`Waited in vain for ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function accessibilityProblems(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run(document)')) as axe.AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 200)}: ${failureSummary ?? ''}`,
      ),
    );
}

const findOverflow = `(() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > width)
    found.push('the page is ' + document.documentElement.scrollWidth + ' px wide in ' + width + ' px');
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0 || element.closest('[data-scrolls]') !== null) continue;
    if (element.closest('.visually-hidden') !== null) continue;
    if (box.right > width + 1 || box.left < -1)
      found.push(element.tagName.toLowerCase() + '.' + element.className + ' from ' + box.left + ' to ' + box.right);
  }
  return found;
})()`;
