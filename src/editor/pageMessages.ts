// The extension's end of one page: waits until the page is there, sends what changed, and checks all that comes back.
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { checkOutside } from '../protocol/outsideValue';
import type { RunWatcher } from '../supervise/runs/runWatcher';
import { pageMessage, type HostMessage, type PageMessage, type PageView } from '../protocol/page';

/** Least time between two views, in ms. */
const pause = 250;

/** What a page is fed from. */
export interface PageSource {
  view(): PageView;
  /** Runs whose history the page draws. */
  watchers(): readonly RunWatcher[];
}

export class PageMessages implements vscode.Disposable {
  readonly #subscription: vscode.Disposable;
  #isReady = false;
  #timer: NodeJS.Timeout | null = null;
  #sentTime = -Infinity;
  #isDisposed = false;
  /** Counts the times that the page came to life and was greeted. */
  #greeting = 0;
  /** Runs whose history is on its way. */
  readonly #sending = new Set<string>();
  /** What the page has of each run. */
  readonly #sent = new Map<string, HistoryStamp>();

  constructor(
    private readonly webview: vscode.Webview,
    private readonly source: PageSource,
    private readonly log: vscode.LogOutputChannel,
    act: (message: PageMessage) => Promise<void>,
  ) {
    this.#subscription = webview.onDidReceiveMessage(async (message: unknown) => {
      const checked = checkOutside(pageMessage, message);
      if (!checked.success) {
        this.log.warn(`The page sent something else than a message: ${checked.error.message}`);
        return;
      }
      if (checked.data.type === 'ready') this.#hello();
      else await act(checked.data);
    });
  }

  /** Something of the view changed: it is sent soon, together with what else changes until then. */
  refresh(): void {
    if (!this.#isReady || this.#timer !== null || this.#isDisposed) return;
    const wait = Math.max(0, this.#sentTime + pause - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#send();
    }, wait);
  }

  /** The page is hidden: VS Code has thrown it away, and it will say when it is there again. */
  hidden(): void {
    this.#isReady = false;
  }

  dispose(): void {
    this.#isDisposed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#subscription.dispose();
  }

  #hello(): void {
    this.#isReady = true;
    this.#greeting++;
    this.#sent.clear();
    this.#sending.clear();
    this.#post({ type: 'hello', texts: texts(), locale: vscode.env.language });
    this.#send();
  }

  #send(): void {
    if (!this.#isReady || this.#isDisposed) return;
    this.#sentTime = performance.now();
    this.#post({ type: 'view', view: this.source.view() });
    const watchers = this.source.watchers();
    // The page forgets the points of a run that the view does not name.
    const names = new Set(watchers.map(({ paths }) => paths.name));
    for (const name of this.#sent.keys()) if (!names.has(name)) this.#sent.delete(name);
    for (const watcher of watchers) void this.#sendHistory(watcher);
  }

  /** Long histories are sent in parts, with a pause for everything else between two of them. */
  async #sendHistory({ history, paths: { name } }: RunWatcher): Promise<void> {
    if (this.#sending.has(name)) return;
    const greeting = this.#greeting;
    const sent = this.#sent.get(name);
    const now = stampOf(history);
    if (sent !== undefined && isDeepStrictEqual(sent, now)) return;
    const from = sent?.revision === history.revision ? sent.points : 0;
    this.#sending.add(name);
    for (const part of history.parts(from)) {
      this.#post({ type: 'history', part });
      await setImmediate();
      if (greeting !== this.#greeting || history.revision !== now.revision) break;
    }
    // The page was greeted anew meanwhile: it has nothing of this.
    if (greeting !== this.#greeting) return;
    this.#sending.delete(name);
    this.#sent.set(name, now);
    this.refresh();
  }

  #post(message: HostMessage): void {
    // False where the page is gone by now; it will ask again.
    this.webview.postMessage(message).then(undefined, (error: unknown) => {
      this.log.debug(`The page could not be told: ${String(error)}`);
    });
  }
}

/** How much of a history there is. */
interface HistoryStamp {
  readonly revision: number;
  readonly points: number;
  readonly epochs: number;
  /** Their number, and the last one's time: of many, the first ones are dropped. */
  readonly marks: string;
}

function stampOf({ revision, length, epochs, marks }: RunWatcher['history']): HistoryStamp {
  return { revision, points: length, epochs: epochs.length, marks: `${marks.length} ${marks.at(-1)?.time}` };
}

/** Translations of the page's texts; none where the editor speaks English. */
function texts(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(vscode.l10n.bundle ?? {}).map(([key, text]) => [key, String(text)]),
  );
}
