// VS Code's notifications: what they say, their progress, their buttons.
import type { Page } from 'playwright-core';
import { poll } from './poll';

export interface Notification {
  readonly message: string;
  readonly buttons: readonly string[];
  readonly severity: 'error' | 'warning' | 'info';
  readonly isProgress: boolean;
}

const items =
  '.notifications-toasts .notification-list-item, .notifications-center.visible .notification-list-item';

export class Notifications {
  constructor(private readonly page: Page) {}

  /** Those on the screen. */
  async all(): Promise<Notification[]> {
    return this.page.locator(items).evaluateAll((elements) =>
      elements.map((element) => ({
        message: (element.querySelector('.notification-list-item-message')?.textContent ?? '').trim(),
        buttons: [...element.querySelectorAll('.notification-list-item-buttons-container .monaco-button')]
          .map((button) => (button.textContent ?? '').trim())
          .filter((text) => text !== ''),
        severity:
          element.querySelector('.codicon-error') !== null
            ? ('error' as const)
            : element.querySelector('.codicon-warning') !== null
              ? ('warning' as const)
              : ('info' as const),
        isProgress: element.querySelector('.monaco-progress-container.active') !== null,
      })),
    );
  }

  /** Waits for one whose message has these words. @throws Error that tells what there was instead */
  async one(words: string | RegExp, withinMs = 60_000): Promise<Notification> {
    let seen: Notification[] = [];
    try {
      return await poll(
        '',
        async () => {
          seen = await this.all();
          return seen.find(({ message }) =>
            typeof words === 'string' ? message.includes(words) : words.test(message),
          );
        },
        withinMs,
      );
    } catch (error) {
      throw new Error(`no notification with ${String(words)} among: ${JSON.stringify(seen)}`, {
        cause: error,
      });
    }
  }

  /** Presses a button of the notification whose message has these words. */
  async press(words: string | RegExp, button: string): Promise<void> {
    const item = this.page.locator(items).filter({ hasText: words }).first();
    await item.hover();
    await item.locator('.monaco-button', { hasText: button }).first().click();
  }

  /** Takes all of them away. */
  async clear(): Promise<void> {
    await this.page.keyboard.press('Escape');
    for (;;) {
      const item = this.page.locator(items).first();
      if ((await item.count()) === 0) return;
      await item.hover();
      await item.locator('.codicon-notifications-clear').first().click();
    }
  }
}
