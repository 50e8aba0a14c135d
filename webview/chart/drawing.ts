// When charts are drawn: at most once a frame, and only those that can be seen.

/** Something that draws itself. */
export interface Drawable {
  readonly root: HTMLElement;
  draw(): void;
}

/** Draws what was asked for, in the next frame in which it can be seen. */
export class DrawQueue {
  readonly #asked = new Set<Drawable>();
  readonly #seen = new Map<Element, Drawable>();
  readonly #onScreen = new Set<Drawable>();
  #frame: number | null = null;
  readonly #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const drawable = this.#seen.get(target);
      if (drawable === undefined) continue;
      if (isIntersecting) this.#onScreen.add(drawable);
      else this.#onScreen.delete(drawable);
    }
    this.#schedule();
  });

  constructor() {
    // A hidden page gets no frames, but it may be hidden between the asking and the frame.
    document.addEventListener('visibilitychange', () => this.#schedule());
  }

  /** From now on knows whether it can be seen. */
  watch(drawable: Drawable): void {
    this.#seen.set(drawable.root, drawable);
    this.#observer.observe(drawable.root);
  }

  /** Asks for it to be drawn. */
  ask(drawable: Drawable): void {
    this.#asked.add(drawable);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#frame !== null || document.hidden) return;
    if (![...this.#asked].some((drawable) => this.#onScreen.has(drawable))) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = null;
      if (document.hidden) return;
      for (const drawable of [...this.#asked]) {
        if (!this.#onScreen.has(drawable)) continue;
        this.#asked.delete(drawable);
        drawable.draw();
      }
    });
  }
}
