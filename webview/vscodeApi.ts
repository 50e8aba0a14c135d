// What VS Code gives a page: to send messages to the extension, and to keep a small state while it is hidden.
import type { PageMessage } from '../src/protocol/page';

interface VsCodeApi {
  postMessage(message: PageMessage): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** May be asked for once only in the life of a page. */
export const vscodeApi: VsCodeApi = acquireVsCodeApi();
