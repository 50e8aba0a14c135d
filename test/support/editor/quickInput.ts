// VS Code's box at the top of the window: the palette, choices, questions.
import type { Locator, Page } from 'playwright-core';
import { poll } from './poll';

export class QuickInput {
  readonly #widget: Locator;
  readonly #input: Locator;
  readonly #rows: Locator;

  constructor(private readonly page: Page) {
    this.#widget = page.locator('.quick-input-widget:visible');
    this.#input = this.#widget.locator('.quick-input-box input');
    this.#rows = this.#widget.locator('.quick-input-list .monaco-list-row');
  }

  /** Presses a key until the box is there: a window that is still busy may lose one. */
  async open(key: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await this.page.keyboard.press(key);
      try {
        await this.#input.waitFor({ timeout: 5_000 });
        return;
      } catch (error) {
        if (attempt === 4) throw error;
      }
    }
  }

  /** Waits until the box asks, and gives its title and placeholder. */
  async question(withinMs = 30_000): Promise<string> {
    await this.#widget.waitFor({ timeout: withinMs });
    const title = await this.#widget.locator('.quick-input-title').textContent();
    const message = await this.#widget.locator('.quick-input-message').textContent();
    const placeholder =
      (await this.#input.count()) === 0 ? '' : await this.#input.getAttribute('placeholder');
    return [title, placeholder, message].filter(Boolean).join(' | ');
  }

  /** What is written in the box. */
  async value(): Promise<string> {
    return this.#input.inputValue();
  }

  /** Writes into the box. @throws Error where it has closed meanwhile */
  async filter(text: string): Promise<void> {
    await this.#input.fill(text, { timeout: 5_000 });
  }

  /** Labels of the choices on the screen. */
  async labels(): Promise<string[]> {
    const rows = this.#rows.locator(
      '.quick-input-list-entry .quick-input-list-rows > .quick-input-list-row:first-child .label-name',
    );
    return (await rows.allTextContents()).map((text) => text.trim());
  }

  /** Whole texts of the choices on the screen, as a screen reader has them. */
  async choices(): Promise<string[]> {
    await this.#rows.first().waitFor();
    return this.#rows.evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  }

  /** Takes the choice with this label, else the first whose text has it. @throws Error that lists what there is */
  async choose(label: string, withinMs = 20_000): Promise<void> {
    const until = Date.now() + withinMs;
    for (;;) {
      const labels = await this.labels();
      const whole = labels.indexOf(label);
      const index = whole === -1 ? labels.findIndex((text) => text.includes(label)) : whole;
      if (index !== -1) {
        await this.#rows.nth(index).click();
        return;
      }
      if (Date.now() > until) throw new Error(`no choice "${label}" among: ${labels.join(' | ') || 'none'}`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Writes an answer and presses Enter. */
  async answer(text: string): Promise<void> {
    await this.#input.waitFor();
    await this.#input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /**
   * Writes a path into VS Code's dialog for files. It overhears an Enter while it reads a folder, and writes its own path
   * when it has read its first.
   */
  async answerPath(place: string): Promise<void> {
    const isRead = async (): Promise<boolean> =>
      (await this.value()) !== '' && (await this.#rows.count()) > 0;
    await this.#input.waitFor();
    await poll('the dialog has read its folder', isRead);
    for (let attempt = 1; await this.isOpen(); attempt += 1) {
      if (attempt === 6) throw new Error(`the dialog does not take ${place}: ${await this.complaint()}`);
      await this.filter(place);
      await this.page.waitForTimeout(500);
      await this.page.keyboard.press('Enter');
      await this.page.waitForTimeout(2_000);
    }
  }

  /** What is said against the written answer; empty where nothing is. */
  async complaint(): Promise<string> {
    const text = await this.#widget.locator('.quick-input-message').textContent();
    return text ?? '';
  }

  /** Whether the box is there. */
  async isOpen(): Promise<boolean> {
    return this.#widget.isVisible();
  }

  async close(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await poll('the box closes', async () => !(await this.isOpen()));
  }
}
