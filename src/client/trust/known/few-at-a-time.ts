// Bounds how much is under way at once: the rest waits in line, first come, first served.
export class FewAtATime {
  readonly #limit: number;
  readonly #line: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running += 1;
    else await new Promise<void>((enter) => this.#line.push(enter));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      // The next one takes the place over.
      if (next) next();
      else this.#running -= 1;
    }
  }
}
