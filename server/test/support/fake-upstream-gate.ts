export interface Hold {
  /** Send the headers and so many bytes of the body first; default: not even the headers. */
  readonly afterBytes?: number;
}

/** Answers wait here until the test lets them go. */
export class Gate {
  readonly afterBytes: number | undefined;
  #arrived = 0;
  readonly #waiting = new Set<() => void>();
  readonly #opened = Promise.withResolvers<void>();

  constructor(
    { afterBytes }: Hold,
    readonly onOpen: () => void,
  ) {
    this.afterBytes = afterBytes;
  }

  /** Resolves when so many answers are waiting here, or have waited. */
  async arrived(count = 1): Promise<void> {
    while (this.#arrived < count) await new Promise<void>((arrived) => this.#waiting.add(arrived));
  }

  /** Lets go what waits here and whatever comes later. */
  open(): void {
    this.onOpen();
    this.#opened.resolve();
  }

  /** For the fake itself: where an answer stands. */
  async pass(stage: 'headers' | 'body'): Promise<void> {
    if ((stage === 'headers') !== (this.afterBytes === undefined)) return;
    this.#arrived += 1;
    for (const arrived of this.#waiting) arrived();
    this.#waiting.clear();
    await this.#opened.promise;
  }
}
