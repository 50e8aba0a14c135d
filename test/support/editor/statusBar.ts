// VS Code's status bar: texts, tooltips, clicks.
import type { Locator, Page } from 'playwright-core';

/** The element id of the product's item: VS Code puts the extension's own name before it. */
const ownItem = '[id="batch-planner.batch-planner.batchPlanner.gpuMemory"]';

export interface StatusText {
  readonly id: string;
  readonly text: string;
  /** For screen readers. */
  readonly label: string;
}

export class StatusBar {
  readonly #own: Locator;

  constructor(private readonly page: Page) {
    this.#own = page.locator(`.statusbar-item${ownItem}`);
  }

  /** Every item that is shown. */
  async texts(): Promise<StatusText[]> {
    return this.page.locator('.statusbar-item').evaluateAll((items) =>
      items
        .filter((item) => item.getClientRects().length > 0)
        .map((item) => ({
          id: item.id,
          text: (item.textContent ?? '').trim(),
          label: item.querySelector('a')?.getAttribute('aria-label') ?? item.getAttribute('aria-label') ?? '',
        })),
    );
  }

  /** The product's item; null where it is hidden. */
  async own(): Promise<StatusText | null> {
    return (await this.texts()).find(({ id }) => ownItem.includes(`"${id}"`)) ?? null;
  }

  /** Whether the product's item has the warning's colours. */
  async isWarning(): Promise<boolean> {
    const classes = (await this.#own.getAttribute('class')) ?? '';
    return classes.includes('warning-kind');
  }

  /** Text of the product's tooltip, row by row of its table; the pointer stays on the item. */
  async tooltip(): Promise<string> {
    await this.page.mouse.move(5, 5);
    await this.#own.hover();
    const hover = this.page
      .locator('.monaco-hover:visible .hover-contents, .monaco-hover:visible .markdown-hover')
      .first();
    await hover.waitFor();
    return hover.innerText();
  }

  /** The tooltip's link with this text. */
  async clickInTooltip(text: string): Promise<void> {
    await this.tooltip();
    await this.page.locator('.monaco-hover:visible a', { hasText: text }).first().click();
  }

  async click(): Promise<void> {
    await this.#own.click();
  }
}
